/**
 * `tproxy completion SHELL`, and the answers to the script that it prints.
 * @module
 */
import { bash, fish, type ShellCompletion, zsh } from "@optique/core/completion";
import { object, or } from "@optique/core/constructs";
import { message, text } from "@optique/core/message";
import { type InferValue, type Parser, type Suggestion, suggestSync } from "@optique/core/parser";
import { argument, command } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { TOPIC_NAMES } from "../help/names.ts";
import { kindOf } from "../arguments/known_value.ts";
import type { Command, Commands } from "../command.ts";
import type { Env } from "../env.ts";

const SHELLS: Readonly<Record<string, ShellCompletion>> = { bash, zsh, fish };

const parser = object({
  shell: argument(choice(["bash", "zsh", "fish"], { metavar: "SHELL" }), {
    description: message`The shell to complete in: bash, zsh or fish.`,
  }),
});

/** The command. */
export const completionCommand: Command<InferValue<typeof parser>> = {
  name: "completion",
  summary: "Print a script that completes commands and options in a shell",
  examples: [
    "completion bash > /etc/bash_completion.d/tproxy",
    "completion zsh > /usr/local/share/zsh/site-functions/_tproxy",
    "completion fish > ~/.config/fish/completions/tproxy.fish",
  ],
  changesState: false,
  parser,
  run(env, { shell }) {
    env.stdout(SHELLS[shell].generateScript("tproxy", ["completion", shell]));
    return 0;
  },
};

/** Prints what may stand for the last of the words after the shell's name. The shell's script asks this. */
export async function completeWords(
  env: Env,
  [shell, ...words]: readonly string[],
  commands: Commands,
): Promise<number> {
  if (!Object.hasOwn(SHELLS, shell)) return 2;
  const suggestions = await withValues(env, words, await suggest(words, commands));
  for (const chunk of SHELLS[shell].encodeSuggestions(suggestions)) env.stdout(chunk);
  return 0;
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
    const { listValues } = await import("../completing/values.ts");
    const values = await listValues(env, kind, words);
    return values.filter((value) => value.startsWith(last)).map((text) => ({ kind: "literal", text }));
  });
  return (await Promise.all(lists)).flat();
}

/** Suggests what may stand for the last word. */
async function suggest(words: readonly string[], commands: Commands): Promise<readonly Suggestion[]> {
  const last = words.at(-1) ?? "";
  if (words.length === 2 && words[0] === "help") {
    const names = [...new Set([...commands.names, ...TOPIC_NAMES])].filter((name) => name.startsWith(last));
    return names.map((text) => ({ kind: "literal", text }));
  }
  const parser = await parserFor(words, commands);
  const ask = (text: string) =>
    suggestSync(parser, [...words.slice(0, -1), text] as unknown as [string, ...string[]]);
  // After one dash the parser thinks of short options alone.
  return last === "-" ? [...ask("-"), ...ask("--")] : ask(last);
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
