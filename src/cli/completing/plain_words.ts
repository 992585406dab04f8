/**
 * Plain words in the language that the script of a shell reads: the same as shells.ts writes, which takes a
 * quarter of a start to load. Pure.
 * @module
 */

/** Words that no script takes for anything else. */
const PLAIN = /^[A-Za-z0-9.-][A-Za-z0-9 ._-]*$/;

/** The ends of a word without a description, and what stands between two. */
const FORMS: Readonly<Record<string, { readonly end: string; readonly between: string }>> = {
  bash: { end: "", between: "\n" },
  zsh: { end: "\0\0", between: "" },
  fish: { end: "\t", between: "\n" },
};

/** Writes them; undefined: they are not all plain, or there is no such shell. */
export function encodePlainWords(shell: string, words: readonly string[]): string | undefined {
  if (!Object.hasOwn(FORMS, shell) || !words.every((word) => PLAIN.test(word))) return undefined;
  const { end, between } = FORMS[shell];
  return words.map((word) => word + end).join(between);
}
