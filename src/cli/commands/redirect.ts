/**
 * `tproxy redirect`: the kernel page's example tool, tcprdr.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message, optionName } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Command } from "../command.ts";

const parser = object({
  ipv4: option("-4", "--ipv4", { description: message`IPv4 alone` }),
  ipv6: option("-6", "--ipv6", { description: message`IPv6 alone` }),
  fastOpen: option("-f", "--fast-open", {
    description: message`TCP Fast Open on both sides; a connection is taken when its first data is there`,
  }),
  loop: option("-l", "--loop", {
    description: message`Serve for ever, all who come; without it: one connection, then end`,
  }),
  transparent: option("-t", "--transparent", {
    description: message`Take what an nftables rule steers here (tproxy to :LOCALPORT)`,
  }),
  fromClient: option("-T", "--from-client", {
    description: message`Connect to HOST from the client's own address and port`,
  }),
  listenAddress: optional(option("-L", "--listen", string({ metavar: "ADDRESS" }), {
    description: message`Listen on this address alone`,
  })),
  localPort: argument(string({ metavar: "LOCALPORT" }), { description: message`The port to listen on` }),
  host: optional(argument(string({ metavar: "HOST" }), {
    description: message`Where to connect to; without it: to the original destination, and ${
      optionName("-t")
    } is implied`,
  })),
  remotePort: optional(argument(string({ metavar: "REMOTEPORT" }), {
    description: message`The port there; without it: LOCALPORT`,
  })),
});

/** The command. */
export const redirectCommand: Command<InferValue<typeof parser>> = {
  name: "redirect",
  summary: "Redirect TCP connections from a port to a host: tcprdr, the kernel page's example",
  details: [
    "Each connection is named on stderr, with its original destination where it was steered here. A client whose upstream does not " +
    "answer, or resets, is reset.",
    "Needs rules of your own, as on the kernel's TPROXY page, for what -t is to take and for the replies of -T; tproxy install and run do " +
    "all of it by themselves. Exit code without -l: 0 if the connection reached HOST, else 1.",
  ],
  examples: [
    "redirect -l 8080 192.0.2.1 80",
    "redirect -l -t -T 50080 192.0.2.1 80",
    "redirect -l -t 50080",
  ],
  changesState: true,
  parser,
  valueLetters: "L",
  async run(env, options) {
    const { planRedirect } = await import("../redirect/plan.ts");
    const plan = planRedirect(options);
    if (typeof plan === "string") {
      env.stderr(`tproxy redirect: ${plan}\nTry: tproxy redirect --help\n`);
      return 2;
    }
    return (await import("../redirect/run.ts")).runRedirect(plan, env);
  },
};
