/**
 * `tproxy explain`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { configOption, loadConfigOption } from "../arguments/config_option.ts";
import { knownValue } from "../arguments/known_value.ts";
import type { Command } from "../command.ts";

const parser = object({
  config: configOption,
  from: option("--from", string({ metavar: "ADDRESS" }), {
    description: message`The client; with a port, if rules ask for that.`,
  }),
  to: option("--to", string({ metavar: "ADDRESS:PORT" }), { description: message`The server.` }),
  in: optional(option("--in", knownValue("interface", "INTERFACE"), {
    description: message`The interface that the flow comes in by. Default: by which the client is reached.`,
  })),
  protocol: optional(option("--protocol", choice(["tcp", "udp"], { metavar: "PROTOCOL" }), {
    description: message`tcp, which is the default, or udp.`,
  })),
  mac: optional(option("--mac", string({ metavar: "ADDRESS" }), {
    description: message`The client's hardware address, for rules with mac.`,
  })),
  domain: optional(option("--domain", string({ metavar: "NAME" }), {
    description: message`The name that the client asks for.`,
  })),
  rulesOnly: optional(flag("--rules-only", {
    description: message`Ask the config and its lists alone, and nothing of this machine.`,
  })),
  json: optional(flag("--json", { description: message`Print JSON.` })),
});

/** Exit code for a flow that does not get through. */
const STOPPED = 3;

/** The command. */
export const explainCommand: Command<InferValue<typeof parser>> = {
  name: "explain",
  summary: "Tell what becomes of a flow on this router, and why",
  details: [
    "The rules are asked as the proxy asks them; the rules in the kernel, ours and those of others, NAT and policy " +
    "routing are followed for the flow's first packet. Nothing is sent or changed; the kernel's rules need root. " +
    "Without --domain the name is unknown: then it is said whether the flow waits for it, and how it ends without one.",
    "The exit code is 0 if the flow gets through (forwarded, relayed, delivered, or for the router itself), 3 if it is " +
    "refused, dropped, or no route leads there, or if that cannot be told, 2 for wrong options.",
    "JSON: { version, config, flow: { protocol, from, to, in, mac, domain }, end: forwarded | relayed | upstream | delivered " +
    "| router | refused | dropped | unreachable | unknown, passes, certain, by, rule, why, kernel: pass | refuse | program | " +
    "proxy | watch, action, silent, upstreams, upstreamStates: [{ name, state: up | down | refused | unknown, reason, connections }], choice: { group, strategy, member, why }, whenDown, waits: { forName, why }, entry, passedOver: [{ rule, name, why }], byName: " +
    "[{ rule, name, why }], installed: { chain, handle, text, does }, path: [{ hook, chain, verdict: accept | drop, refuses, " +
    "certain, rule, handle, translation }], route: { type, table, gateway, interface }, source, warnings }; passes is the " +
    "exit code in words; what is not known is null.",
  ],
  examples: ["explain --from 192.168.1.20 --to 192.0.2.1:443 --domain ads.example.com"],
  changesState: false,
  parser,
  async run(env, options) {
    const { readQuestion } = await import("../explain/question.ts");
    const asked = readQuestion(options);
    const loaded = await loadConfigOption(env, { path: options.config });
    const { explainOnce } = await import("../explain/explain_once.ts");
    const { wordAnswer } = await import("../explain/words.ts");
    const answer = await explainOnce(env, { loaded, asked, rulesOnly: options.rulesOnly === true });
    env.stdout(
      options.json === true
        ? `${JSON.stringify(answer, undefined, 2)}\n`
        : wordAnswer(answer).map((line) => `${line}\n`).join(""),
    );
    return answer.passes ? 0 : STOPPED;
  },
};
