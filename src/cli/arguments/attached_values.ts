/**
 * Short options with their value attached, as getopt(3) takes them: `-w3`, `-vzw1`. The parser knows `-w 3`
 * and `-vzw 1`.
 * @module
 */

/**
 * Splits such words. `letters`: the options that have a value. Values, and all words behind `--`, stay as
 * they are.
 */
export function splitAttachedValues(args: readonly string[], letters: string): string[] {
  const split: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i];
    if (word === "--") return [...split, ...args.slice(i)];
    const at = /^-[^-]/.test(word)
      ? [...word].findIndex((letter, n) => n > 0 && letters.includes(letter))
      : -1;
    if (at < 0) {
      split.push(word);
      continue;
    }
    const value = word.slice(at + 1);
    split.push(word.slice(0, at + 1));
    // The value is the rest of this word, or else the next word, whatever that looks like.
    if (value !== "") split.push(value);
    else if (++i < args.length) split.push(args[i]);
  }
  return split;
}
