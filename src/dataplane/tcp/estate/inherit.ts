/**
 * Reads what a worker of another process has told of its connections.
 * @module
 */
import {
  countGiven,
  GIVEN_CONNECTION,
  GIVEN_CONNECTION_WORDS,
  GIVEN_WAY,
  type GivenConnections,
  WAY_FLAGS,
} from "../../handover/connections.ts";
import { GIVEN_AMOUNTS } from "../../handover/estate.ts";
import type { Ledger } from "../../shared/ledger.ts";
import type { Pipe } from "../bytes/pipes.ts";
import type { Relay } from "../bytes/relay.ts";
import { DESTINATION, type Direction, type Session } from "../session.ts";

/** One way of a connection. */
interface Way {
  readonly words: Int32Array;
  readonly unsent: Uint8Array;
  /** null: it has none. */
  readonly pipe: Pipe | null;
}

/** A connection. */
export interface Heir {
  readonly row: Int32Array;
  readonly past: { readonly started: number; readonly up: number; readonly down: number };
  readonly clientFd: number;
  readonly upstreamFd: number;
  readonly up: Way;
  readonly down: Way;
  /** null: its client has named none. */
  readonly name: string | null;
}

/** Reads all. */
export function readHeirs(given: GivenConnections): Heir[] {
  const names = new Map(given.names);
  let descriptor = 0;
  let byte = 0;
  const readWay = (row: Int32Array, at: number): Way => {
    const words = row.subarray(at);
    const unsent = given.unsent.subarray(byte, byte += words[GIVEN_WAY.unsent]);
    const hasPipe = words[GIVEN_WAY.inPipe] > 0;
    const pipe = hasPipe
      ? {
        readEnd: given.fds[descriptor++],
        writeEnd: given.fds[descriptor++],
        size: words[GIVEN_WAY.pipeSize],
      }
      : null;
    return { words, unsent, pipe };
  };
  return Array.from({ length: countGiven(given) }, (_, connection) => {
    const at = connection * GIVEN_CONNECTION_WORDS;
    const row = given.rows.subarray(at, at + GIVEN_CONNECTION_WORDS);
    const [started, up, down] = given.amounts.subarray(connection * GIVEN_AMOUNTS);
    return {
      row,
      past: { started, up, down },
      clientFd: given.fds[descriptor++],
      upstreamFd: given.fds[descriptor++],
      up: readWay(row, GIVEN_CONNECTION.up),
      down: readWay(row, GIVEN_CONNECTION.down),
      name: names.get(connection) ?? null,
    };
  });
}

/** Makes a session go on as it did elsewhere; it has both sockets, and its row. */
export function restore(session: Session, { row, up, down, name }: Heir, relay: Relay, tick: number): void {
  session.activeTick = tick - row[GIVEN_CONNECTION.age];
  session.keptAlive = row[GIVEN_CONNECTION.keptAlive] === 1;
  session.askedOften = row[GIVEN_CONNECTION.askedOften] === 1;
  session.name = name;
  session.carried = true;
  restoreWay(session.up, up, relay);
  restoreWay(session.down, down, relay);
}

/** Writes the rest of its row. */
export function restoreRow(ledger: Ledger, { slot, upstreamFd, addresses }: Session, heir: Heir): void {
  const { row } = heir;
  ledger.destination(slot, addresses, DESTINATION);
  ledger.upstream(slot, upstreamFd, row, GIVEN_CONNECTION.upstream);
  ledger.decided(slot, row[GIVEN_CONNECTION.rule]);
  ledger.through(slot, row[GIVEN_CONNECTION.carrier]);
  ledger.columns.connectMs[slot] = row[GIVEN_CONNECTION.connectMs];
  ledger.inherit(slot, heir.past);
  if (heir.name === null) return;
  const name = new TextEncoder().encode(heir.name);
  ledger.named(slot, name, name.length);
}

function restoreWay(way: Direction, { words, unsent, pipe }: Way, relay: Relay): void {
  for (const [bit, flag] of WAY_FLAGS.entries()) way[flag] = ((words[GIVEN_WAY.flags] >> bit) & 1) === 1;
  way.smallReads = words[GIVEN_WAY.smallReads];
  relay.restore(way, unsent, pipe, words[GIVEN_WAY.inPipe]);
}
