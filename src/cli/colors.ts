/**
 * Colours: on a terminal alone, and not where NO_COLOR is set (https://no-color.org). Pure.
 * @module
 */
import type { Env } from "./env.ts";

// ECMA-48: SGR
const CODES = { red: "31", green: "32", yellow: "33" } as const;

/** A colour. */
export type Color = keyof typeof CODES;

/** Tells whether stdout gets colours. */
export function usesColors(env: Env): boolean {
  return env.stdoutIsTerminal && (env.getenv("NO_COLOR") ?? "") === "" && env.getenv("TERM") !== "dumb";
}

/** Paints a text, if that is wanted. */
export function paint(text: string, color: Color, on: boolean): string {
  return on ? `\x1b[${CODES[color]}m${text}\x1b[0m` : text;
}
