/**
 * One input for a parser: it must end in time, without an exception.
 * @module
 */
import { cpuUsage } from "node:process";
import type { Parser } from "../parser.ts";

/** Milliseconds of the processor that an input may take, where the parser says nothing. */
export const LONGEST_MS = 50;
/** The machine may have other things to do: only one that is slow each time is slow. */
const ATTEMPTS = 4;

/** A promise that is broken, and the input that has shown it. */
export class Crash extends Error {
  override readonly name = "Crash";
  /** Bytes that show it. */
  readonly input: Uint8Array;

  constructor(parser: string, input: Uint8Array, reason: string, options?: ErrorOptions) {
    super(`${parser}: ${reason}`, options);
    this.input = input;
  }
}

/** Has the parser read a copy of the input. Returns its words for it. Throws a {@linkcode Crash}. */
export function tryInput(parser: Parser, input: Uint8Array): string {
  const longest = parser.longestMs ?? LONGEST_MS;
  let fastest = Infinity;
  let words = "";
  for (let attempt = 0; attempt < ATTEMPTS && fastest > longest; attempt++) {
    const begun = performance.now();
    const before = attempt === 0 ? undefined : cpuUsage();
    try {
      words = parser.read(input.slice());
    } catch (cause) {
      throw new Crash(parser.name, input, reasonOf(cause), { cause });
    }
    fastest = Math.min(fastest, performance.now() - begun, before === undefined ? Infinity : spent(before));
  }
  if (fastest <= longest) return words;
  throw new Crash(parser.name, input, `takes ${Math.round(fastest)} ms`);
}

function spent(before: NodeJS.CpuUsage): number {
  const { user, system } = cpuUsage(before);
  return (user + system) / 1000;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
