/**
 * `tproxy help [COMMAND|TOPIC]`. A word that is both is explained as both.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { TOPIC_NAMES } from "../help/names.ts";
import type { Command } from "../command.ts";
import { parseOptions } from "../arguments/parse.ts";
import { refuseUnknown } from "../arguments/unknown.ts";
import { formatUsage, helpWidth } from "../arguments/usage.ts";

const parser = object({
  command: optional(argument(string({ metavar: "COMMAND|TOPIC" }), {
    description: message`What to explain: a command, or one of ${text(TOPIC_NAMES.join(", "))}.`,
  })),
});

/** The command. */
export const helpCommand: Command<InferValue<typeof parser>> = {
  name: "help",
  summary: "List the commands, or explain one, or a topic",
  examples: ["help install", "help rules"],
  changesState: false,
  parser,
  async run(env, { command: name }, commands) {
    if (name === undefined) {
      env.stdout(formatUsage(env, await commands.loadAll()));
      return 0;
    }
    const command = await commands.load(name);
    const isTopic = TOPIC_NAMES.includes(name);
    if (isTopic) {
      const { TOPICS } = await import("../help/list.ts");
      const { formatTopic } = await import("../help/format.ts");
      const topic = TOPICS.find((topic) => topic.name === name)!;
      env.stdout(formatTopic(topic, await commands.loadAll(), helpWidth(env)));
      if (command === undefined) return 0;
      env.stdout("\n");
    }
    if (command === undefined) return refuseUnknown(env, name, [...commands.names, ...TOPIC_NAMES]);
    const asked = parseOptions(env, command, ["--help"]);
    return "exitCode" in asked ? asked.exitCode : 0;
  },
};
