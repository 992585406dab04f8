/**
 * Text of others on a line of ours. Pure.
 * @module
 */

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

/** Escapes what would start a new line or command a terminal. */
export function oneLine(text: string): string {
  return text.replace(CONTROL, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
