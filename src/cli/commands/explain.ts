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
import type { Command } from "../command.ts";

const parser = object({
  config: configOption,
  from: option("--from", string({ metavar: "ADDRESS" }), { description: message`The client` }),
  to: option("--to", string({ metavar: "ADDRESS:PORT" }), { description: message`The server` }),
  in: optional(option("--in", string({ metavar: "INTERFACE" }), {
    description: message`The interface that the flow comes through`,
  })),
  protocol: optional(option("--protocol", choice(["tcp", "udp"], { metavar: "PROTOCOL" }), {
    description: message`tcp, which is the default, or udp`,
  })),
  domain: optional(option("--domain", string({ metavar: "NAME" }), {
    description: message`The name that the client asks for`,
  })),
  json: optional(flag("--json", { description: message`Print JSON.` })),
});

/** The command. */
export const explainCommand: Command<InferValue<typeof parser>> = {
  name: "explain",
  summary: "Tell what the rules do with a flow, and why",
  details: [
    "The rules are asked as the proxy asks them. Without --domain the name is unknown: then it is said whether the flow " +
    "waits for it. Of the machine nothing is read but the config and its lists.",
    "JSON: { version, config, rule, why, kernel, action, upstreams, whenDown, waits: { forName, why }, entry, " +
    "passedOver: [{ rule, name, why }], byName: [{ rule, name, why }] }.",
  ],
  examples: ["explain --from 192.168.1.20 --to 192.0.2.1:443 --domain ads.example.com"],
  changesState: false,
  parser,
  async run(env, options) {
    const loaded = await loadConfigOption(env, { path: options.config });
    const { readDomainLists } = await import("../../config/files/domain_lists.ts");
    const { buildNameSets } = await import("../../policy/name_sets.ts");
    const { compilePolicy } = await import("../../policy/compile.ts");
    const { explain } = await import("../../policy/explain.ts");
    const { flowOf } = await import("../explain/question.ts");
    const { makeAnswer, wordAnswer } = await import("../explain/answer.ts");
    const lists = readDomainLists(loaded, Deno.readFileSync);
    const { images } = buildNameSets(loaded.config, lists, crypto.getRandomValues(new Int32Array(2)));
    const image = compilePolicy(loaded.config, 0, images);
    const flow = flowOf(options, image);
    const explanation = explain(image, flow);
    flow.nameAsked = false;
    const unasked = explain(image, flow);
    const answer = makeAnswer({ loaded, lists, domain: options.domain, explanation, unasked });
    env.stdout(
      options.json === true
        ? `${JSON.stringify(answer, undefined, 2)}\n`
        : wordAnswer(answer).map((line) => `${line}\n`).join(""),
    );
    return 0;
  },
};
