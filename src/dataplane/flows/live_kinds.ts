/**
 * Live sessions by protocol and family. Pure.
 * @module
 */
import { Columns } from "../shared/columns.ts";
import { PROTOCOLS, type SessionProtocol } from "../shared/session_key.ts";
import { FAMILIES } from "../shared/totals.ts";

/** The live sessions of one kind. */
export interface LiveKind {
  readonly protocol: SessionProtocol;
  readonly family: typeof FAMILIES[number];
  readonly sessions: number;
  /** Bytes that they have passed on so far. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Counts the live sessions of all workers, of each kind. */
export function countLive(
  ledgers: readonly Readonly<Record<SessionProtocol, SharedArrayBuffer>>[],
): LiveKind[] {
  return PROTOCOLS.flatMap((protocol) => {
    const kinds = FAMILIES.map((family) => ({ protocol, family, sessions: 0, bytesUp: 0, bytesDown: 0 }));
    for (const memory of ledgers) {
      const columns = new Columns(memory[protocol]);
      const { used, tag, bytes, bytesBefore } = columns;
      for (let slot = 0; slot < used; slot++) {
        if (tag[slot] === 0) continue;
        const kind = kinds[columns.familyOf(slot)];
        kind.sessions++;
        kind.bytesUp += bytes[2 * slot] - bytesBefore[2 * slot];
        kind.bytesDown += bytes[2 * slot + 1] - bytesBefore[2 * slot + 1];
      }
    }
    return kinds;
  });
}
