/**
 * `tproxy help [COMMAND]`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Command } from "../command.ts";
import { parseOptions } from "../arguments/parse.ts";
import { refuseUnknown } from "../arguments/unknown.ts";
import { formatUsage } from "../arguments/usage.ts";

const parser = object({
  command: optional(argument(string({ metavar: "COMMAND" }), { description: message`What to explain.` })),
});

/** The command. */
export const helpCommand: Command<InferValue<typeof parser>> = {
  name: "help",
  summary: "List the commands, or explain one",
  changesState: false,
  parser,
  async run(env, { command: name }, commands) {
    if (name === undefined) {
      env.stdout(formatUsage(env, await commands.loadAll()));
      return 0;
    }
    const command = await commands.load(name);
    if (command === undefined) return refuseUnknown(env, name, commands.names);
    const asked = parseOptions(env, command, ["--help"]);
    return "exitCode" in asked ? asked.exitCode : 0;
  },
};
