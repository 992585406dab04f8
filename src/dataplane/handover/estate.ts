/**
 * The estate of a worker: what another process is given of it, so that sessions of UDP go on there. Plain
 * data: words in columns, descriptors apart. Pure.
 * @module
 */
import { ADDRESS_WORDS } from "../shared/columns.ts";

/** Places in the words of a session. */
export const GIVEN_SESSION = {
  slot: 0,
  kind: 1,
  traits: 2,
  way: 3,
  keepsErrors: 4,
  filtered: 5,
  priority: 6,
  tos: 7,
  bulk: 8,
  segmentLimit: 9,
  /** Ticks since its last datagram. */
  age: 10,
  generation: 11,
  rule: 12,
  /** Slots: see udp/ways/kin.ts. */
  parent: 13,
  leader: 14,
  client: 16,
  destination: 16 + ADDRESS_WORDS,
  upstream: 16 + 2 * ADDRESS_WORDS,
} as const;
/** Words of a session. */
export const GIVEN_SESSION_WORDS = 16 + 3 * ADDRESS_WORDS;
/** Numbers of a session: since when it lives (milliseconds since 1970), bytes up, bytes down. */
export const GIVEN_AMOUNTS = 3;

/** Places in the words of a flow that rules have decided on: see udp/flows/flow_book.ts. */
export const GIVEN_FLOW = {
  state: 0,
  slot: 1,
  rule: 2,
  generation: 3,
  /** Ticks since its last datagram. */
  age: 4,
  client: 5,
  server: 5 + ADDRESS_WORDS,
} as const;
/** Words of a flow. */
export const GIVEN_FLOW_WORDS = 5 + 2 * ADDRESS_WORDS;

/** A session's tie to an upstream, which is known by its name. */
export interface GivenLink {
  /** Number of the session in the list. */
  readonly session: number;
  readonly upstream: string;
  /** Of an association with a SOCKS5 proxy: number of the address that was dialled. -1: it is none. */
  readonly choice: number;
  /** A PROXY header stands before each datagram. */
  readonly hasHeader: boolean;
  /** Destination of its datagrams: a struct sockaddr. */
  readonly relay: readonly number[];
}

/** Knowledge of a worker about UDP. */
export interface UdpEstate {
  /** Seed of the numbers of ways, and of {@linkcode earlyEnds}. */
  readonly seed: number;
  readonly earlyEnds: Int32Array;
  /** GIVEN_SESSION_WORDS each, the least recently used first. */
  readonly sessions: Int32Array;
  /** GIVEN_AMOUNTS of each. */
  readonly amounts: Float64Array;
  /** Names that clients have named, by number of the session. */
  readonly names: readonly (readonly [session: number, name: string])[];
  readonly links: readonly GivenLink[];
  /** Number of the session, and a struct sockaddr: whom filtered ones have sent to. */
  readonly peers: Int32Array;
  /** See Detours.give() and FlowBook.give(). */
  readonly detours: Int32Array;
  readonly flows: Int32Array;
  /** Datagrams that waited, for a name or an upstream: see udp/estate/waiting.ts. */
  readonly waiting: Int32Array;
  /** The socket of each session; then the connection of each association, in the order of the links. */
  readonly fds: readonly number[];
}

/** Gifts of a worker. */
export interface WorkerEstate {
  /** null: it relays no UDP. */
  readonly udp: UdpEstate | null;
  /** Streams that are watched: see watching/streams.ts. */
  readonly streams: Int32Array;
}

/** Counts the sessions of UDP that workers give. */
export function countSessions(estates: readonly WorkerEstate[]): number {
  return estates.reduce((sum, { udp }) => sum + (udp?.amounts.length ?? 0) / GIVEN_AMOUNTS, 0);
}

/** Joins lists of words to one. */
export function joinWords(lists: readonly Int32Array[]): Int32Array {
  const joined = new Int32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of lists) {
    joined.set(list, at);
    at += list.length;
  }
  return joined;
}
