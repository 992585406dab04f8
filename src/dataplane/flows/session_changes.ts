/**
 * Live sessions that have come and gone since the last look at the ledgers. Workers are not woken.
 * @module
 */
import { Columns } from "../shared/columns.ts";
import type { SharedMemory } from "../shared/memory.ts";
import { type LedgerRow, readRow } from "../shared/read_ledger.ts";
import { PROTOCOLS, type SessionKey } from "../shared/session_key.ts";
import { OPEN } from "../tcp/stage_numbers.ts";
import { NamePlaces } from "./name_places.ts";

/** A session that is open now, or one that lives no longer. */
export type SessionChange<Row> =
  | { readonly kind: "open"; readonly session: Row }
  | { readonly kind: "gone"; readonly key: SessionKey };

interface WatchedLedger extends Pick<SessionKey, "worker" | "protocol"> {
  readonly columns: Columns;
  readonly names: NamePlaces;
  /** By row: tag of the session that was told of; 0: none. */
  seen: Int32Array;
}

/** See the module. Those that live already are not told of when they open, but when they go. */
export class SessionChanges<Row> {
  readonly #ledgers: readonly WatchedLedger[];
  readonly #describe: (key: Pick<SessionKey, "worker" | "protocol">, row: LedgerRow) => Row;

  constructor(
    memory: SharedMemory,
    describe: (key: Pick<SessionKey, "worker" | "protocol">, row: LedgerRow) => Row,
  ) {
    this.#describe = describe;
    this.#ledgers = memory.ledgers.flatMap((ledgers, worker) =>
      PROTOCOLS.map((protocol) => {
        const columns = new Columns(ledgers[protocol]);
        return {
          worker,
          protocol,
          columns,
          names: new NamePlaces(ledgers.names),
          seen: columns.tag.slice(0, columns.used),
        };
      })
    );
  }

  /** Looks at all rows. A connection whose upstream has not answered is not open yet. */
  *look(): Generator<SessionChange<Row>> {
    for (const ledger of this.#ledgers) {
      const { worker, protocol, columns, names } = ledger;
      const { used } = columns;
      if (used > ledger.seen.length) ledger.seen = enlarge(ledger.seen, used);
      const { seen } = ledger;
      for (let slot = 0; slot < used; slot++) {
        const tag = columns.tag[slot];
        if (tag === seen[slot]) continue;
        if (seen[slot] !== 0) {
          yield { kind: "gone", key: { worker, protocol, slot, tag: seen[slot] >>> 0 } };
          seen[slot] = 0;
        }
        if (tag === 0 || (protocol === "tcp" && columns.stage[slot] < OPEN)) continue;
        const row = readRow(columns, slot, names);
        if (row === undefined || row.destination === null) continue;
        seen[slot] = row.tag | 0;
        yield { kind: "open", session: this.#describe(ledger, row) };
      }
    }
  }

  /** Takes note of the end of a session that was told otherwise. */
  forget({ worker, protocol, slot, tag }: SessionKey): void {
    const ledger = this.#ledgers.find((own) => own.worker === worker && own.protocol === protocol);
    if (ledger !== undefined && ledger.seen[slot] === (tag | 0)) ledger.seen[slot] = 0;
  }
}

function enlarge(seen: Int32Array, rows: number): Int32Array {
  const larger = new Int32Array(rows);
  larger.set(seen);
  return larger;
}
