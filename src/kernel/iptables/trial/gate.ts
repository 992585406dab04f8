/**
 * The gate of a trial in the kernel: lists of the match `recent`, an entry in which opens it for so many
 * seconds.
 * @module
 */
import { EVERYBODY, TRIAL_LISTS } from "../../../constants.ts";
import { OperationError } from "../../../net/error.ts";
import { EPERM } from "../../../net/errno.ts";
import { FAMILIES } from "../../../net/families.ts";
import type { Family } from "../../../net/ip.ts";
import { isNoteHidden, readNote, uptimeMs } from "../../trial/note.ts";

function pathOf(family: Family): string {
  return `/proc/thread-self/net/xt_recent/${TRIAL_LISTS[family]}`;
}

/** Opens the gate of every family that has one, from now on for the time that its rules say. */
export function openGates(): void {
  for (const family of FAMILIES.filter(hasGate)) {
    try {
      using file = Deno.openSync(pathOf(family), { write: true });
      file.writeSync(new TextEncoder().encode(`+${EVERYBODY[family]}\n`));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new OperationError({ operation: "write", object: pathOf(family), reason });
    }
  }
}

/**
 * Reads how many milliseconds a trial still lasts; 0: it is over, and not tidied up; undefined: none. The
 * list is in ticks of the kernel, which nobody tells, so the note says when it ends. Throws an OperationError
 * where that may not be read.
 */
export function readGates(): number | undefined {
  const gates = FAMILIES.map(readGate).filter((entries) => entries !== undefined);
  if (gates.length === 0) return undefined;
  if (gates.every((entries) => entries === "")) return 0; // whoever began it was killed before it held
  if (isNoteHidden()) {
    const hint = "It needs root: try sudo";
    throw new OperationError({ operation: "read", object: "the note about the trial", errno: EPERM, hint });
  }
  return Math.max(0, (readNote()?.endsAtMs ?? 0) - uptimeMs());
}

function hasGate(family: Family): boolean {
  return readGate(family) !== undefined;
}

/** Reads the entries; undefined: no rule asks for that list. */
function readGate(family: Family): string | undefined {
  try {
    return Deno.readTextFileSync(pathOf(family));
  } catch {
    return undefined;
  }
}
