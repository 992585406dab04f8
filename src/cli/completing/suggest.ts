/**
 * Words that the parsers of the commands suggest.
 * @module
 */
import { or } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import { type Parser, type Suggestion, suggestSync } from "@optique/core/parser";
import { command } from "@optique/core/primitives";
import { kindOf } from "../arguments/known_value.ts";
import type { Commands } from "../command.ts";
import type { Env } from "../env.ts";
import { listValues } from "./values.ts";

/** Options of every command, which its parser does not know. */
const HELP = ["-h", "--help"];

/** Suggests what may stand for the last word. */
export async function suggestWords(
  env: Env,
  words: readonly string[],
  commands: Commands,
): Promise<readonly Suggestion[]> {
  const last = words.at(-1) ?? "";
  const parser = await parserFor(words, commands);
  const ask = (text: string) =>
    suggestSync(parser, [...words.slice(0, -1), text] as unknown as [string, ...string[]]);
  // After one dash the parser thinks of short options alone.
  const suggestions = last === "-" ? [...ask("-"), ...ask("--").filter(isLiteral)] : ask(last);
  return [...await withValues(env, words, suggestions), ...helpFor(words, suggestions)];
}

function isLiteral(suggestion: Suggestion): boolean {
  return suggestion.kind === "literal";
}

/** Adds the options of every command, where an option may stand. */
function helpFor(words: readonly string[], suggestions: readonly Suggestion[]): Suggestion[] {
  const last = words.at(-1) ?? "";
  const isValue = suggestions.length > 0 &&
    !suggestions.some((suggestion) => suggestion.kind === "literal" && /^--?\w/.test(suggestion.text));
  if (words.length < 2 || !last.startsWith("-") || isValue || words.includes("--")) return [];
  return HELP.filter((option) => option.startsWith(last)).map((text) => ({ kind: "literal", text }));
}

/** Puts values that the machine and the config know into the places that ask for them. */
async function withValues(
  env: Env,
  words: readonly string[],
  suggestions: readonly Suggestion[],
): Promise<Suggestion[]> {
  const last = words.at(-1) ?? "";
  const lists = suggestions.map(async (suggestion): Promise<Suggestion[]> => {
    const kind = suggestion.kind === "literal" ? kindOf(suggestion.text) : undefined;
    if (kind === undefined) return [suggestion];
    const values = await listValues(env, kind, words);
    return values.filter((value) => value.startsWith(last)).map((text) => ({ kind: "literal", text }));
  });
  return (await Promise.all(lists)).flat();
}

/** A parser of all commands; or only of the one that stands there already, so that no other is loaded. */
async function parserFor(
  words: readonly string[],
  commands: Commands,
): Promise<Parser<"sync", unknown, unknown>> {
  const named = words.length > 1 ? await commands.load(words[0]) : undefined;
  const parsers = (named === undefined ? await commands.loadAll() : [named]).map((
    { name, summary, parser },
  ) => command(name, parser, { brief: message`${text(summary)}` }));
  return or(...parsers as unknown as [Parser<"sync", unknown, unknown>, Parser<"sync", unknown, unknown>]);
}
