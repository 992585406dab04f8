/**
 * Reads the live sessions of workers out of their ledgers, from any thread, without waking them.
 * @module
 */
import { readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { NamePlaces } from "../flows/name_places.ts";
import type { Endpoint } from "../../net/ip.ts";
import { ADDRESS_WORDS, Columns } from "./columns.ts";

/** A session as the ledger has it. */
export interface LedgerRow {
  readonly slot: number;
  /** Tells the sessions of one slot apart. */
  readonly tag: number;
  /** Number of a stage; the protocol names it. */
  readonly stage: number;
  readonly client: Endpoint;
  /** The server that it wanted; of UDP: with its first datagram. null: not known yet. */
  readonly destination: Endpoint | null;
  /** The upstream's address; null: not known yet, or it is the destination. */
  readonly upstream: Endpoint | null;
  readonly generation: number;
  /** Number of the rule; UNDECIDED: none has decided yet, or none was asked. */
  readonly rule: number;
  /** The configured upstream that it goes through: the i-th is i + 1, 0 for none. */
  readonly carrier: number;
  /** The name that the client has named; null: none that is known. */
  readonly name: string | null;
  /** Milliseconds from its begin until the upstream had answered; -1: not known. */
  readonly connectMs: number;
  /** Milliseconds of CLOCK_MONOTONIC. */
  readonly started: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Descriptors, -1 for none. */
  readonly clientFd: number;
  readonly upstreamFd: number;
}

/** A row that is being written is looked at so often; then its worker has died over it. */
const ATTEMPTS = 1000;

/** Reads all live rows of a ledger. */
export function* readLedger(memory: SharedArrayBuffer, names: SharedArrayBuffer): Generator<LedgerRow> {
  const columns = new Columns(memory);
  const places = new NamePlaces(names);
  const used = columns.used;
  for (let slot = 0; slot < used; slot++) {
    const row = readRow(columns, slot, places);
    if (row !== undefined) yield row;
  }
}

/** Reads one row as it was at one moment; undefined: it has no session. */
export function readRow(columns: Columns, slot: number, names: NamePlaces): LedgerRow | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const version = columns.versionBefore(slot);
    if ((version & 1) !== 0) continue;
    const row = copyRow(columns, slot, names);
    if (columns.versionAfter(slot) !== version) continue;
    return row.tag === 0 ? undefined : describeRow(row);
  }
  return undefined;
}

type RawRow = Omit<LedgerRow, "client" | "destination" | "upstream" | "name"> & {
  readonly name: Uint8Array<ArrayBuffer>;
  readonly client: Int32Array<ArrayBuffer>;
  readonly destination: Int32Array<ArrayBuffer>;
  readonly upstream: Int32Array<ArrayBuffer>;
};

/** Copies a row, whole or not. */
function copyRow(columns: Columns, slot: number, names: NamePlaces): RawRow {
  const { bytes, bytesBefore } = columns;
  const at = slot * ADDRESS_WORDS;
  const address = (column: Int32Array) => Int32Array.from(column.subarray(at, at + ADDRESS_WORDS));
  return {
    slot,
    tag: columns.tag[slot] >>> 0,
    stage: columns.stage[slot],
    client: address(columns.client),
    destination: address(columns.destination),
    upstream: address(columns.upstream),
    generation: columns.generation[slot],
    rule: columns.rule[slot],
    carrier: columns.carrier[slot],
    name: copyName(names, columns.name[slot]),
    connectMs: columns.connectMs[slot],
    started: columns.started[slot],
    bytesUp: bytes[2 * slot] - bytesBefore[2 * slot],
    bytesDown: bytes[2 * slot + 1] - bytesBefore[2 * slot + 1],
    clientFd: columns.clientFd[slot],
    upstreamFd: columns.upstreamFd[slot],
  };
}

/** A place belongs to its row for as long as the row has its version. */
function copyName(names: NamePlaces, place: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(256);
  return place < 0 ? bytes.subarray(0, 0) : bytes.subarray(0, names.copy(place, bytes, 0));
}

function describeRow(row: RawRow): LedgerRow {
  const endpoint = (words: Int32Array<ArrayBuffer>) => readSockaddr(new Uint8Array(words.buffer));
  const known = (words: Int32Array<ArrayBuffer>) => (words[0] & 0xffff) === 0 ? null : endpoint(words);
  return {
    ...row,
    name: row.name.length === 0 ? null : new TextDecoder().decode(row.name),
    client: endpoint(row.client),
    destination: known(row.destination),
    upstream: known(row.upstream),
  };
}
