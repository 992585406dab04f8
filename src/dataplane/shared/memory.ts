/**
 * All memory that the main thread and the workers share.
 * @module
 */
import { allocateDialTimes } from "../flows/dial_times.ts";
import { allocateRing } from "../flows/flow_ring.ts";
import { allocateNames } from "../flows/name_places.ts";
import { UpstreamHealth } from "../upstream/health.ts";
import { allocateLedger } from "./columns.ts";
import type { FlowMemory } from "./ledger.ts";
import { SharedState } from "./state.ts";
import { prepareWaitingRoom, WAITING_ROOM_WORDS } from "./waiting_room.ts";

/** The ledgers of a worker. */
export interface LedgerMemory extends FlowMemory {
  readonly tcp: SharedArrayBuffer;
  readonly udp: SharedArrayBuffer;
}

/** Plain data, so that it can be posted. */
export interface SharedMemory {
  /** The buffer of the {@linkcode SharedState}. */
  readonly state: SharedArrayBuffer;
  /** By number of the worker. */
  readonly ledgers: readonly LedgerMemory[];
  /** The buffer of the {@linkcode WaitingRoom} of UDP. */
  readonly waitingRoom: SharedArrayBuffer;
  /** The buffer of the {@linkcode UpstreamHealth}. */
  readonly upstreams: SharedArrayBuffer;
}

/** The size of it. All sessions may come to the same worker. */
export interface MemorySize {
  readonly workers: number;
  /** Live connections that there may ever be. */
  readonly connections: number;
  /** Live UDP sessions that there may ever be. */
  readonly udpSessions: number;
}

/**
 * Allocates memory for so many workers and sessions. The system gives it when a session needs it, not before.
 */
export function allocateMemory({ workers, connections, udpSessions }: MemorySize): SharedMemory {
  return {
    state: new SharedState(workers).buffer,
    ledgers: Array.from({ length: workers }, () => ({
      tcp: allocateLedger(connections),
      udp: allocateLedger(udpSessions),
      names: allocateNames(crypto.getRandomValues(new Int32Array(1))[0]),
      ended: allocateRing(),
      dials: allocateDialTimes(),
    })),
    waitingRoom: makeWaitingRoom(),
    upstreams: new UpstreamHealth(workers).buffer,
  };
}

function makeWaitingRoom(): SharedArrayBuffer {
  const words = new Int32Array(new SharedArrayBuffer(WAITING_ROOM_WORDS * 4));
  prepareWaitingRoom(words);
  return words.buffer;
}
