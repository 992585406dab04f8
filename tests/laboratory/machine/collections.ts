/**
 * Garbage collections that V8 tells of, in a process of its own.
 * @module
 */
import assert from "node:assert/strict";

/** A scavenge comes with about every MiB of garbage at this size of the young generation. */
export const GC_FLAGS =
  "--v8-flags=--trace-gc,--semi-space-growth-factor=1,--min-semi-space-size=1,--max-semi-space-size=1";

/** Counts the collections that were told of. */
export function countCollections(stdout: string): number {
  return stdout.split("\n").filter((line) => /\b(Scavenge|Mark-Compact)\b/.test(line)).length;
}

/** Runs a module that does something so many times, and says so at its end. Returns the collections. */
export async function collectionsOf(module: URL, times: number, said: RegExp): Promise<number> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", GC_FLAGS, module.pathname, String(times)],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.ok(success, text + new TextDecoder().decode(stderr));
  assert.match(text, said);
  return countCollections(text);
}
