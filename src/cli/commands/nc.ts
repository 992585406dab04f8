/**
 * `tproxy nc`: netcat with IP_TRANSPARENT.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message, optionName } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import type { Command } from "../command.ts";
import { speakTo } from "../nc/voice.ts";

/** poll(2) takes milliseconds as an int. */
const MAX_SECONDS = 2_147_483;

const parser = object({
  listen: option("-l", { description: message`Listen rather than connect` }),
  keep: option("-k", {
    description: message`With ${optionName("-l")}: when a client has ended, take the next`,
  }),
  udp: option("-u", { description: message`UDP instead of TCP` }),
  source: optional(option("-s", string({ metavar: "ADDRESS" }), {
    description: message`The address to have, whether it is this machine's or not`,
  })),
  port: optional(option("-p", string({ metavar: "PORT" }), { description: message`The port to have` })),
  wait: optional(option("-w", integer({ metavar: "SECONDS", min: 0, max: MAX_SECONDS }), {
    description: message`Give up a connection that does not come about, and end one that is idle so long`,
  })),
  scan: option("-z", { description: message`Only see whether somebody listens; PORT may be a range` }),
  verbose: multiple(option("-v", { description: message`Say what happens and what does not, on stderr` })),
  numeric: option("-n", { description: message`Take and show addresses alone, look no name up` }),
  shutdown: option("-N", {
    description: message`At the end of stdin, end the sending half of the connection`,
  }),
  ipv4: option("-4", { description: message`IPv4 alone` }),
  ipv6: option("-6", {
    description: message`IPv6 alone; with ${optionName("-l")} and no address: instead of IPv4`,
  }),
  words: multiple(
    argument(string({ metavar: "HOST|PORT" }), {
      description: message`HOST and PORT to connect to; with ${
        optionName("-l")
      }: PORT, or ADDRESS and PORT, to listen on`,
    }),
    { max: 2 },
  ),
});

/** The command. */
export const ncCommand: Command<InferValue<typeof parser>> = {
  name: "nc",
  summary: "Connect, listen and exchange datagrams from any address: netcat with IP_TRANSPARENT",
  details: [
    "Works as OpenBSD's netcat, options, output and exit code: 0 if a connection came about (or any port of a range answered), else 1, for a wrong command line too. " +
    "With -v it tells why a connection does not come about, and whom it serves, by name; with -n as well by address alone.",
    "An address that is not this machine's needs CAP_NET_RAW, and a way back: what is sent to it must be routed here and be delivered " +
    "here, by the rules of the kernel's TPROXY page or those of tproxy install.",
    "With -l it also takes what an nftables rule steers to it (tproxy to :PORT), and -v names the original destination.",
  ],
  examples: [
    "nc -v -s 222.173.190.239 -p 51966 192.0.2.1 80",
    "nc -lkv -s 198.51.100.7 -p 8080",
    "nc -zv 192.0.2.1 20-25",
    "nc -u -s 198.51.100.7 192.0.2.53 53",
  ],
  changesState: true,
  parser,
  valueLetters: "spw",
  usageCode: 1, // as netcat has it
  async run(env, options) {
    const { planNc } = await import("../nc/plan.ts");
    const plan = planNc(options);
    if (typeof plan === "string") {
      env.stderr(`tproxy nc: ${plan}\nTry: tproxy nc --help\n`);
      return 1;
    }
    const voice = speakTo(env);
    if (plan.mode === "connect") return (await import("../nc/connect.ts")).runConnect(plan, voice);
    return (await import("../nc/listen.ts")).runListen(plan, voice);
  },
};
