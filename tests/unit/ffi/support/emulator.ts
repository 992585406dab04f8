/**
 * Gaps of qemu-user, in which these tests also run (scripts/lib/test/emulated.ts).
 * @module
 */
import { errnoCode } from "../../../../src/net/errno.ts";

/**
 * Asks the emulator for something. Why it cannot do it; `undefined` if it can, and on a real kernel, which
 * has to.
 */
export function findGap(what: string, probe: () => number): string | undefined {
  if (Deno.env.get("QEMU_LD_PREFIX") === undefined) return undefined;
  const result = probe();
  return result < 0 ? `qemu-user refuses ${what} (${errnoCode(-result)})` : undefined;
}
