/**
 * The flows of all workers that have ended, as the main thread reads them. Workers are not woken.
 * @module
 */
import { readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import type { Action } from "../../config/types.ts";
import type { Endpoint } from "../../net/ip.ts";
import { type Ending, ENDINGS } from "../shared/endings.ts";
import { PROTOCOLS, type SessionProtocol } from "../shared/session_key.ts";
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
  readonly protocol: SessionProtocol;
  readonly client: Endpoint;
  /** null: not known. */
  readonly destination: Endpoint | null;
  /** The address that the router has sent it to instead; null: no other. */
  readonly server: Endpoint | null;
  /** Bytes that the client has sent: they may be anything. null: no name was read. */
  readonly name: string | null;
  /** Milliseconds since 1970. */
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

/** See the module. */
export class EndedFlows {
  readonly #rings: readonly FlowRing[];
  readonly #namesOf: NamesOf;
  #missedBefore = 0;

  constructor(memories: readonly SharedArrayBuffer[], namesOf: NamesOf) {
    this.#rings = memories.map((memory) => new FlowRing(memory));
    this.#namesOf = namesOf;
  }

  /** Says whether somebody reads from now on; those that have ended before are forgotten. */
  want(wanted: boolean): void {
    for (const ring of this.#rings) ring.want(wanted);
    this.skip();
    this.missed();
  }

  /** Takes the oldest out; undefined: there is none. */
  read(): EndedFlow | undefined {
    let first = this.#rings[0];
    for (const ring of this.#rings) if (ring.oldest < first.oldest) first = ring;
    return first.oldest === Infinity ? undefined : this.#describe(first.read());
  }

  /** Forgets all that wait. Returns their number. */
  skip(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.skip(), 0);
  }

  /** Counts those for which there was no place since it was last asked. */
  missed(): number {
    const missed = this.#rings.reduce((sum, ring) => (sum + ring.missed) | 0, 0);
    const since = (missed - this.#missedBefore) >>> 0;
    this.#missedBefore = missed;
    return since;
  }

  #describe(record: FlowRecord): EndedFlow {
    const known = (address: Uint8Array<ArrayBuffer>) =>
      address[0] === 0 && address[1] === 0 ? null : readSockaddr(address);
    return {
      ...this.#namesOf(record),
      protocol: PROTOCOLS[record.protocol],
      client: readSockaddr(record.client),
      destination: known(record.destination),
      server: known(record.upstream),
      name: record.name.length === 0 ? null : new TextDecoder().decode(record.name),
      started: record.started,
      ended: record.ended,
      connectMs: record.connectMs < 0 ? null : record.connectMs,
      bytesUp: record.bytesUp,
      bytesDown: record.bytesDown,
      ending: ENDINGS[record.ending],
    };
  }
}
