/**
 * Text in the cells of a terminal. Names come from clients: nothing of them may steer the terminal. Pure.
 * @module
 */

/** Controls, and what changes the direction or has no width: an escape sequence begins with one of them. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;
/** Characters that take two cells (UAX #11, as far as names have them). */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const HALF_WIDTH = /[\uff61-\uffdc]/u;
const MARK = /\p{M}/u;

/** Replaces what could steer a terminal. */
export function makeSafe(text: string): string {
  return text.replace(UNSAFE, "·");
}

/** The number of cells that a safe text takes. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** Makes a text exactly so wide; what is cut ends in `…`. */
export function fit(text: string, width: number, right = false): string {
  const safe = makeSafe(text);
  const own = textWidth(safe);
  if (own > width) return cut(safe, width);
  const room = " ".repeat(width - own);
  return right ? room + safe : safe + room;
}

function cut(text: string, width: number): string {
  if (width <= 0) return "";
  let taken = "";
  let used = 0;
  for (const character of text) {
    const own = characterWidth(character);
    if (used + own > width - 1) break;
    taken += character;
    used += own;
  }
  return `${taken}…${" ".repeat(width - 1 - used)}`;
}

function characterWidth(character: string): number {
  if (character < "\u0300") return 1;
  if (MARK.test(character)) return 0;
  return WIDE.test(character) && !HALF_WIDTH.test(character) ? 2 : 1;
}
