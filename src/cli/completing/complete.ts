/**
 * Answers to the script of `tproxy completion`, which asks at each press of a key: what is known without the
 * options of a command is told without loading any.
 * @module
 */
import type { Commands } from "../command.ts";
import type { Env } from "../env.ts";
import { knownWords } from "./known_words.ts";
import { encodePlainWords } from "./plain_words.ts";

/** Prints what may stand for the last of the words after the shell's name. */
export async function completeWords(
  env: Env,
  [shell, ...words]: readonly string[],
  commands: Commands,
): Promise<number> {
  // Shells other than bash show a summary beside each command.
  const known = await knownWords(env, words, { names: commands.names, summaries: shell !== "bash" });
  const plain = known && encodePlainWords(shell, known);
  if (plain !== undefined) {
    env.stdout(plain);
    return 0;
  }
  const { SHELLS } = await import("./shells.ts");
  if (!Object.hasOwn(SHELLS, shell)) return 2;
  const suggestions = known?.map((text) => ({ kind: "literal", text }) as const) ??
    await (await import("./suggest.ts")).suggestWords(env, words, commands);
  for (const chunk of SHELLS[shell].encodeSuggestions(suggestions)) env.stdout(chunk);
  return 0;
}
