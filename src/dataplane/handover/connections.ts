/**
 * Connections on their way to another process: what it is told of each, so that bytes go on there. Plain
 * data: words in columns, descriptors apart. Pure.
 * @module
 */
import { ADDRESS_WORDS } from "../shared/columns.ts";

/** Places in the words of one way through a connection. */
export const GIVEN_WAY = {
  /** A bit for each of {@linkcode WAY_FLAGS}. */
  flags: 0,
  smallReads: 1,
  /** Bytes in its pipe; 0: no pipe goes along. */
  inPipe: 2,
  pipeSize: 3,
  /** Bytes that were read and not passed on, in {@linkcode GivenConnections.unsent}. */
  unsent: 4,
} as const;
/** Words of one way. */
export const GIVEN_WAY_WORDS = 5;

/** The fields of a Direction that are yes or no. */
export const WAY_FLAGS = ["readable", "writable", "hungUp", "urgent", "ended", "finished", "bulk"] as const;

/** Places in the words of a connection. */
export const GIVEN_CONNECTION = {
  stage: 0,
  /** Ticks since its last event. */
  age: 1,
  generation: 2,
  rule: 3,
  carrier: 4,
  connectMs: 5,
  keptAlive: 6,
  askedOften: 7,
  up: 8,
  down: 8 + GIVEN_WAY_WORDS,
  client: 18,
  destination: 18 + ADDRESS_WORDS,
  upstream: 18 + 2 * ADDRESS_WORDS,
} as const;
/** Words of a connection. */
export const GIVEN_CONNECTION_WORDS = 18 + 3 * ADDRESS_WORDS;

/** Connections of a worker. */
export interface GivenConnections {
  /** GIVEN_CONNECTION_WORDS each. */
  readonly rows: Int32Array;
  /** GIVEN_AMOUNTS of each: see estate.ts. */
  readonly amounts: Float64Array;
  /** Names that clients have named, by number of the connection. */
  readonly names: readonly (readonly [connection: number, name: string])[];
  /** Bytes that were read and not passed on: of each connection those up, then those down. */
  readonly unsent: Uint8Array;
  /**
   * Of each connection the client's socket and the upstream's; then both ends, the one to read from first, of
   * each pipe that has bytes, up and down.
   */
  readonly fds: readonly number[];
}

/** None. */
export const NO_CONNECTIONS: GivenConnections = {
  rows: new Int32Array(0),
  amounts: new Float64Array(0),
  names: [],
  unsent: new Uint8Array(0),
  fds: [],
};

/** Counts them. */
export function countGiven({ rows }: GivenConnections): number {
  return rows.length / GIVEN_CONNECTION_WORDS;
}
