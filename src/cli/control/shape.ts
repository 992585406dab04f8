/**
 * Forms of values that another process tells, which may be of another version of this program, or a process
 * that is not what it was: who reads them is root, and shows them on a terminal. Pure.
 * @module
 */
import { oneLine } from "../../net/one_line.ts";

/** Form of a value: a text for one line, one of some words, a number, a list, parts by name, or null too. */
export type Shape =
  | "text"
  | "number"
  | readonly string[]
  | { readonly list: Shape }
  | { readonly parts: Readonly<Record<string, Shape>> }
  | { readonly orNull: Shape };

/** Tells whether a value has a form. Parts that the form does not name may be there. */
export function fits(value: unknown, shape: Shape): boolean {
  if (shape === "number") return Number.isFinite(value);
  if (shape === "text") return typeof value === "string" && oneLine(value) === value;
  if ("orNull" in shape) return value === null || fits(value, shape.orNull);
  if ("list" in shape) return Array.isArray(value) && value.every((item) => fits(item, shape.list));
  if (!("parts" in shape)) return typeof value === "string" && shape.includes(value);
  return isObject(value) && Object.entries(shape.parts).every(([name, part]) => fits(value[name], part));
}

/** Reads JSON; undefined: it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Tells whether a value has parts by name. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
