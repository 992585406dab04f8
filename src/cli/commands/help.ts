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

const parser = object({
  command: optional(argument(string({ metavar: "COMMAND" }), { description: message`What to explain.` })),
});

/** The command. */
export const helpCommand: Command<InferValue<typeof parser>> = {
  name: "help",
  summary: "List the commands, or explain one",
  changesState: false,
  parser,
  run(_env, { command }, runProgram) {
    return runProgram(command === undefined ? ["--help"] : [command, "--help"]);
  },
};
