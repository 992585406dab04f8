/**
 * The flows of all workers that have ended, as the main thread reads them. Workers are not woken.
 * @module
 */
import { sinceEpoch } from "../../../ffi/clock.ts";
import { readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import type { Action } from "../../config/types.ts";
import type { Endpoint } from "../../net/ip.ts";
import { type Ending, ENDINGS } from "../shared/endings.ts";
import { PROTOCOLS, type SessionKey, type SessionProtocol } from "../shared/session_key.ts";
import { type FlowRecord, FlowRing } from "./flow_ring.ts";

/** The decision on a flow, in words. */
export interface DecisionNames {
  /** Name of the rule; null: none was asked, or nobody knows it any more. */
  readonly rule: string | null;
  /** Number of the rule; null: none has matched. */
  readonly ruleIndex: number | null;
  readonly action: Action;
  /** Name of the upstream; null: none. */
  readonly upstream: string | null;
  /** Name of the group that it was chosen from; null: none. */
  readonly group: string | null;
}

/** A flow that has ended. */
export interface EndedFlow extends DecisionNames {
  /** The name that it had while it lived. */
  readonly key: SessionKey;
  readonly protocol: SessionProtocol;
  readonly client: Endpoint;
  /** null: not known. */
  readonly destination: Endpoint | null;
  /** The address that the router has sent it to instead; null: no other. */
  readonly server: Endpoint | null;
  /** Bytes that the client has sent: they may be anything. null: no name was read. */
  readonly name: string | null;
  /** Milliseconds since 1970, by the clock of now. */
  readonly started: number;
  readonly ended: number;
  /** null: the upstream has not answered, or nobody knows. */
  readonly connectMs: number | null;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly ending: Ending;
}

/** Says what numbers of a generation mean. */
export type NamesOf = (record: Pick<FlowRecord, "generation" | "rule" | "carrier">) => DecisionNames;

/** Flows that followers have had, and the one reader has not: more are missed. */
const MOST_WAITING = 4096;

/** See the module. One reads, any number may follow. */
export class EndedFlows {
  readonly #rings: readonly FlowRing[];
  readonly #namesOf: NamesOf;
  #missedBefore = 0;
  #isRead = false;
  readonly #followers = new Set<(flow: EndedFlow) => void>();
  /** Flows that followers have had already. */
  #waiting: EndedFlow[] = [];

  constructor(memories: readonly SharedArrayBuffer[], namesOf: NamesOf) {
    this.#rings = memories.map((memory) => new FlowRing(memory));
    this.#namesOf = namesOf;
  }

  /** Says whether somebody reads from now on; those that have ended before are forgotten. */
  want(wanted: boolean): void {
    this.pump();
    this.#isRead = wanted;
    this.#wantRings();
    this.skip();
    this.missed();
  }

  /** Calls `take` with each flow that ends from now on, whenever it is read or pumped, until it is ended. */
  follow(take: (flow: EndedFlow) => void): { end(): void } {
    if (!this.#isRead && this.#followers.size === 0) this.skip();
    this.#followers.add(take);
    this.#wantRings();
    return {
      end: () => {
        this.#followers.delete(take);
        this.#wantRings();
      },
    };
  }

  /** Hands all that have ended to followers; the reader gets them later. */
  pump(): void {
    if (this.#followers.size === 0) return;
    for (let flow = this.#take(); flow !== undefined; flow = this.#take()) {
      if (!this.#isRead) continue;
      if (this.#waiting.length < MOST_WAITING) this.#waiting.push(flow);
      else this.#missedBefore--;
    }
  }

  /** Takes the oldest out; undefined: there is none. */
  read(): EndedFlow | undefined {
    return this.#waiting.shift() ?? this.#take();
  }

  /** Forgets all that wait. Returns their number. */
  skip(): number {
    this.pump();
    const waited = this.#waiting.length;
    this.#waiting = [];
    return this.#rings.reduce((sum, ring) => sum + ring.skip(), waited);
  }

  /** Counts those for which there was no place since it was last asked. */
  missed(): number {
    const missed = this.#rings.reduce((sum, ring) => (sum + ring.missed) | 0, 0);
    const since = (missed - this.#missedBefore) >>> 0;
    this.#missedBefore = missed;
    return since;
  }

  #wantRings(): void {
    for (const ring of this.#rings) ring.want(this.#isRead || this.#followers.size > 0);
  }

  /** Takes the oldest out of the rings; followers have it now. */
  #take(): EndedFlow | undefined {
    let first = 0;
    for (const [worker, ring] of this.#rings.entries()) {
      if (ring.oldest < this.#rings[first].oldest) first = worker;
    }
    const ring = this.#rings[first];
    if (ring.oldest === Infinity) return undefined;
    const flow = this.#describe(ring.read(), first);
    for (const take of this.#followers) take(flow);
    return flow;
  }

  #describe(record: FlowRecord, worker: number): EndedFlow {
    const known = (address: Uint8Array<ArrayBuffer>) =>
      address[0] === 0 && address[1] === 0 ? null : readSockaddr(address);
    const protocol = PROTOCOLS[record.protocol];
    const ended = sinceEpoch(record.ended);
    return {
      ...this.#namesOf(record),
      key: { worker, protocol, slot: record.slot, tag: record.tag },
      protocol,
      client: readSockaddr(record.client),
      destination: known(record.destination),
      server: known(record.upstream),
      name: record.name.length === 0 ? null : new TextDecoder().decode(record.name),
      started: ended - Math.round(record.ended - record.started),
      ended,
      connectMs: record.connectMs < 0 ? null : record.connectMs,
      bytesUp: record.bytesUp,
      bytesDown: record.bytesDown,
      ending: ENDINGS[record.ending],
    };
  }
}
