/**
 * The answers to the script of `tproxy completion`.
 * @module
 */
import { or } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import { type Parser, suggestSync } from "@optique/core/parser";
import { command } from "@optique/core/primitives";
import { SHELLS } from "./commands/completion.ts";
import type { Env } from "./env.ts";
import { COMMANDS, loadAllCommands } from "./table.ts";

/** Prints what may stand for the last of the words after the shell's name. The shell's script asks this. */
export async function completeWords(env: Env, [shell, ...words]: readonly string[]): Promise<number> {
  if (!Object.hasOwn(SHELLS, shell)) return 2;
  const suggestions = suggestSync(await parserFor(words), words as [string, ...string[]]);
  for (const chunk of SHELLS[shell].encodeSuggestions(suggestions)) env.stdout(chunk);
  return 0;
}

/** A parser of all commands; or only of the one that stands there already, so that no other is loaded. */
async function parserFor(words: readonly string[]): Promise<Parser<"sync", unknown, unknown>> {
  const named = words.length > 1 && Object.hasOwn(COMMANDS, words[0])
    ? [await COMMANDS[words[0]]()]
    : undefined;
  const parsers = (named ?? await loadAllCommands()).map(({ name, summary, parser }) =>
    command(name, parser, { brief: message`${text(summary)}` })
  );
  return or(...parsers as unknown as [Parser<"sync", unknown, unknown>, Parser<"sync", unknown, unknown>]);
}
