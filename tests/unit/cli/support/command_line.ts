/**
 * Command lines, as the program parses them.
 * @module
 */
import type { Env } from "../../../../src/cli/env.ts";
import { parseOptions } from "../../../../src/cli/arguments/parse.ts";
import type { AnyCommand } from "../../../../src/cli/command.ts";

/**
 * Lets `planner` make a plan from a command's options and words; returns the program's message where they do
 * not parse.
 */
export function planWords<Plan>(
  command: unknown,
  words: string,
  planner: (options: never) => Plan,
): Plan | string {
  let complaint = "";
  const env = {
    columns: 80,
    stderr: (text: string) => complaint += text,
    stdout: () => {},
  } as unknown as Env;
  const parsed = parseOptions(env, command as AnyCommand, words.split(" "));
  return "options" in parsed ? planner(parsed.options as never) : complaint;
}
