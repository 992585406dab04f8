/**
 * Words that may stand at a place of the command line for which no parser is needed.
 * @module
 */
import type { ValueKind } from "../arguments/known_value.ts";
import type { Env } from "../env.ts";
import { TOPIC_NAMES } from "../help/names.ts";

/** Options of the program itself. */
const OWN_OPTIONS = ["-h", "--help", "-V", "--version"];

/** Options that take values of a kind, by their commands; a test holds them against the parsers. */
export const VALUE_OPTIONS: Readonly<Record<string, Readonly<Record<string, ValueKind>>>> = {
  explain: { "--in": "interface" },
  connections: { "--rule": "rule", "--upstream": "upstream", "--device": "device" },
};

/**
 * Lists what may stand for the last word; undefined: a parser has to be asked. `summaries`: commands are
 * wanted with theirs.
 */
export async function knownWords(
  env: Env,
  words: readonly string[],
  { names, summaries }: { readonly names: readonly string[]; readonly summaries: boolean },
): Promise<readonly string[] | undefined> {
  const last = words.at(-1) ?? "";
  const matching = (all: readonly string[]) => all.filter((word) => word.startsWith(last));
  if (words.length < 2) {
    if (last.startsWith("-")) return matching(OWN_OPTIONS);
    return summaries ? undefined : matching(names);
  }
  const [command] = words;
  if (command === "help" && words.length === 2) return matching([...new Set([...names, ...TOPIC_NAMES])]);
  const option = words.length > 2 ? words.at(-2)! : "";
  const options = Object.hasOwn(VALUE_OPTIONS, command) ? VALUE_OPTIONS[command] : {};
  if (words.includes("--") || !Object.hasOwn(options, option)) return undefined;
  const { listValues } = await import("./values.ts");
  return matching(await listValues(env, options[option], words));
}
