/**
 * Code and comments of a TypeScript file, told apart by their marks. Pure.
 * @module
 */

/** A doc comment, without its marks. */
export interface DocComment {
  readonly line: number;
  readonly text: string;
}

/** Takes the comments out of a file's text. */
export function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
}

/** Lists the doc comments of a file. */
export function docComments(text: string): DocComment[] {
  return [...text.matchAll(/^[ \t]*\/\*\*([\s\S]*?)\*\//gm)].map((match) => ({
    line: text.slice(0, match.index).split("\n").length,
    text: match[1].replace(/^[ \t]*\* ?/gm, "").trim(),
  }));
}

/** Returns the comment that a file begins with; empty where it has none. */
export function headerOf(text: string): string {
  return /^(?:#!.*\n)?\s*\/\*\*([\s\S]*?)\*\//.exec(text)?.[1].replace(/^[ \t]*\* ?/gm, "").trim() ?? "";
}
