/**
 * Long options whose value may be left out: the parser wants one.
 * @module
 */

/**
 * Adds the value that stands for none. `defaults`: by the option's name. Only for commands that take nothing
 * but options: a word behind the option is its value.
 */
export function addDefaultValues(
  args: readonly string[],
  defaults: Readonly<Record<string, string>>,
): string[] {
  return args.flatMap((word, at) => {
    const next = args.at(at + 1);
    const hasNone = Object.hasOwn(defaults, word) && (next === undefined || next.startsWith("-"));
    return hasNone ? [word, defaults[word]] : [word];
  });
}
