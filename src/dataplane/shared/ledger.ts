/**
 * The live sessions of one worker and one protocol, as the worker writes them.
 * @module
 */
import { monotonicMilliseconds } from "../../../ffi/clock.ts";
import { noteDialTime } from "../flows/dial_times.ts";
import { FlowRing } from "../flows/flow_ring.ts";
import { NamePlaces, NO_NAME, PLACE_BYTES } from "../flows/name_places.ts";
import { copyAddress } from "./addresses.ts";
import { ADDRESS_WORDS, Columns } from "./columns.ts";
import { TCP } from "./session_key.ts";
import { UNDECIDED, type WorkerTotals } from "./totals.ts";

/** Memory that the ledgers of a worker have in common. */
export interface FlowMemory {
  /** The buffer of its {@linkcode NamePlaces}. */
  readonly names: SharedArrayBuffer;
  /** The buffer of its {@linkcode FlowRing}. */
  readonly ended: SharedArrayBuffer;
  /** See dial_times.ts. */
  readonly dials: SharedArrayBuffer;
}

/** The past of a session that has begun in another process. */
export interface Inherited {
  /** Milliseconds since 1970. */
  readonly started: number;
  /** Bytes of payload so far. */
  readonly up: number;
  readonly down: number;
}

/** A ledger. The rows are those of the worker's table of sessions: a slot is a row. */
export class Ledger {
  readonly columns: Columns;
  /** Bytes to which the relay adds, at {@linkcode bytesUp} and {@linkcode bytesDown}. */
  readonly bytes: Float64Array<SharedArrayBuffer>;
  readonly #protocol: number;
  readonly #totals: WorkerTotals;
  readonly #names: NamePlaces;
  readonly #ended: FlowRing;
  readonly #dials: Float64Array<SharedArrayBuffer>;

  /** `protocol`: TCP or UDP, see totals.ts. */
  constructor(memory: SharedArrayBuffer, protocol: number, totals: WorkerTotals, flows: FlowMemory) {
    this.columns = new Columns(memory);
    this.#names = new NamePlaces(flows.names);
    this.#ended = new FlowRing(flows.ended);
    this.#dials = new Float64Array(flows.dials);
    this.bytes = this.columns.bytes;
    this.#protocol = protocol;
    this.#totals = totals;
  }

  /**
   * Begins a session. `client`: words that hold its struct sockaddr from `at` on. `now`: milliseconds of
   * CLOCK_MONOTONIC.
   */
  open(slot: number, tag: number, client: Int32Array, at: number, now: number): void {
    const { columns } = this;
    columns.begin(slot);
    columns.bytesBefore[2 * slot] = columns.bytes[2 * slot];
    columns.bytesBefore[2 * slot + 1] = columns.bytes[2 * slot + 1];
    // The time of the turn may be 100 ms old.
    columns.started[slot] = this.#protocol === TCP || this.#ended.wanted ? monotonicMilliseconds() : now;
    columns.stage[slot] = 0;
    columns.generation[slot] = this.#totals.generation;
    columns.rule[slot] = UNDECIDED;
    columns.carrier[slot] = 0;
    columns.name[slot] = NO_NAME;
    columns.connectMs[slot] = -1;
    columns.clientFd[slot] = columns.upstreamFd[slot] = -1;
    copyAddress(client, at, columns.client, slot * ADDRESS_WORDS);
    columns.destination[slot * ADDRESS_WORDS] = columns.upstream[slot * ADDRESS_WORDS] = 0;
    columns.tag[slot] = tag;
    columns.use(slot);
    columns.settle(slot);
  }

  /** Notes the client's socket. */
  client(slot: number, fd: number): void {
    this.columns.clientFd[slot] = fd;
  }

  /** Notes where the client wants to go. */
  destination(slot: number, words: Int32Array, at: number): void {
    this.columns.begin(slot);
    copyAddress(words, at, this.columns.destination, slot * ADDRESS_WORDS);
    this.columns.settle(slot);
  }

  /** Notes the upstream's socket, and its address where that is not the destination. */
  upstream(slot: number, fd: number, words: Int32Array | null, at: number): void {
    this.columns.begin(slot);
    this.columns.upstreamFd[slot] = fd;
    if (words !== null) copyAddress(words, at, this.columns.upstream, slot * ADDRESS_WORDS);
    this.columns.settle(slot);
  }

  /** Notes the rule that has decided. */
  decided(slot: number, rule: number): void {
    this.columns.rule[slot] = rule;
  }

  /** Notes the configured upstream that it goes through: the i-th is i + 1, 0 for none. */
  through(slot: number, carrier: number): void {
    this.columns.carrier[slot] = carrier;
  }

  /** Notes the name that the client has named, if there is one. */
  named(slot: number, name: Uint8Array, length: number): void {
    this.columns.begin(slot);
    this.#names.release(this.columns.name[slot]);
    this.columns.name[slot] = this.#names.keep(name, length);
    this.columns.settle(slot);
  }

  /** Notes that the upstream of a TCP connection has answered. */
  answered(slot: number): void {
    const passed = Math.max(0, monotonicMilliseconds() - this.columns.started[slot]);
    noteDialTime(this.#dials, this.columns.familyOf(slot), passed);
    if (this.#ended.wanted) this.columns.connectMs[slot] = Math.round(passed);
  }

  /** Notes the stage of its life; a protocol names its own. */
  stage(slot: number, stage: number): void {
    this.columns.stage[slot] = stage;
  }

  /** Ends a session, and adds it to the totals. `ending`: see endings.ts. */
  end(slot: number, ending: number): void {
    const { bytes, bytesBefore } = this.columns;
    if (this.#ended.wanted) {
      this.#ended.write(this.columns, slot, this.#names, this.#protocol, ending, monotonicMilliseconds());
    }
    // The totals first: whoever finds no row of a generation finds all of them in the totals.
    this.#totals.add(
      this.columns,
      slot,
      this.#protocol,
      ending,
      bytes[2 * slot] - bytesBefore[2 * slot],
      bytes[2 * slot + 1] - bytesBefore[2 * slot + 1],
    );
    this.forget(slot);
  }

  /** Forgets a session that goes on elsewhere. */
  forget(slot: number): void {
    this.columns.begin(slot);
    this.columns.tag[slot] = 0;
    this.columns.settle(slot);
    this.#names.release(this.columns.name[slot]);
  }

  /** Lists what another process is told of a session: since when it lives, bytes up, bytes down. */
  past(slot: number): readonly [started: number, up: number, down: number] {
    const { started, bytes, bytesBefore } = this.columns;
    const passed = (at: number) => bytes[at] - bytesBefore[at];
    return [started[slot], passed(2 * slot), passed(2 * slot + 1)];
  }

  /** Copies the name that a session's client has named; null: there is none. */
  nameOf(slot: number): Uint8Array | null {
    const place = this.columns.name[slot];
    if (place === NO_NAME) return null;
    const name = new Uint8Array(PLACE_BYTES);
    return name.subarray(0, this.#names.copy(place, name, 0));
  }

  /** Notes, of a session that has begun elsewhere, since when it lives and what it has passed on. */
  inherit(slot: number, { started, up, down }: Inherited): void {
    const { bytes, bytesBefore } = this.columns;
    this.columns.begin(slot);
    this.columns.started[slot] = started;
    bytesBefore[2 * slot] = bytes[2 * slot] - up;
    bytesBefore[2 * slot + 1] = bytes[2 * slot + 1] - down;
    this.columns.settle(slot);
  }
}

/** Returns the place of a session's bytes from the client in {@linkcode Ledger.bytes}. */
export function bytesUp(slot: number): number {
  return 2 * slot;
}

/** Returns the place of a session's bytes to the client. */
export function bytesDown(slot: number): number {
  return 2 * slot + 1;
}
