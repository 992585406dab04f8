/**
 * Flows whose name is being read: their datagrams wait for no longer than it takes to know the name, or that
 * there is none.
 * @module
 */
import type { Route } from "../../../policy/routes/route.ts";
import type { Origin } from "../../decider.ts";
import { type FlowReading, Readings } from "../../flows/readings.ts";
import type { Clock } from "../../loop/clock.ts";
import { FoundName, MORE, NONE } from "../../../sniff/found.ts";
import type { QuicReader } from "../../../sniff/quic/reader.ts";
import { type Arrival, HeldBytes, HeldQueue } from "./held.ts";

/** Flows at a time; a reader has 20 KB, and a queue 24: all queues together never fill HeldBytes. */
export const MOST_READINGS = 128;

/** A flow whose name is being read; `flow`: its number in the book. */
export interface Reading extends FlowReading {
  readonly reader: QuicReader;
  readonly queue: HeldQueue;
  /** Its origin, as far as it was known when it began. */
  readonly origin: Origin;
  /** Its end; null: its name is not known yet. */
  end: ReadingEnd | null;
}

/** The end of a reading: how the flow goes on. */
export interface ReadingEnd {
  readonly rule: number;
  /** The way that blocks it; null: none does. */
  readonly blocking: Route | null;
  /** See upstream/table.ts. */
  readonly route: number;
  /** Its bytes; empty: there is none. */
  readonly name: Uint8Array;
}

/** The readings of a worker. */
export class NameReadings {
  /** The name that was read last. */
  readonly found: FoundName = new FoundName();
  readonly #clock: Clock;
  /** Their own: what waits for upstreams must not take a name's place. */
  readonly #held = new HeldBytes();
  readonly #readings: Readings<Reading>;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#readings = new Readings(clock, MOST_READINGS);
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#held.count;
  }

  /** The reading of a flow. */
  of(flow: number): Reading | undefined {
    return this.#readings.of(flow);
  }

  /** Lists all. */
  all(): Reading[] {
    return [...this.#readings.values()];
  }

  /**
   * The reading that has to make room for another: the oldest of the client with most, or of all where none
   * has more than an equal share. Undefined: there is room, or that one is over at the end of this turn.
   */
  victim(): Reading | undefined {
    if (!this.#readings.isFull) return undefined;
    const reading = this.#readings.victim();
    return reading?.end === null ? reading : undefined;
  }

  /** Begins one, for which a datagram waits; undefined: there are too many. */
  begin(flow: number, arrival: Arrival, origin: Origin): Reading | undefined {
    const readings = this.#readings;
    const queue = new HeldQueue(this.#held);
    if (readings.isFull || !queue.add(arrival)) return undefined;
    const { inputInterface, hardwareHigh, hardwareLow } = origin;
    const own = { inputInterface, hardwareHigh, hardwareLow };
    const place = readings.open();
    const reader = readings.readerAt(place);
    const reading: Reading = { flow, since: this.#clock.tick, reader, queue, place, origin: own, end: null };
    readings.add(reading, queue.datagrams[0].words, 0);
    return reading;
  }

  /** Has a datagram wait, and reads it. NAME, NONE, also where there is no room for it, or MORE. */
  take(reading: Reading, arrival: Arrival): number {
    return reading.queue.add(arrival) ? this.read(reading) : this.#none();
  }

  /** Reads the last datagram that waits. NAME, NONE or MORE. */
  read({ queue, reader }: Reading): number {
    const { bytes, segmentSize } = queue.datagrams[queue.datagrams.length - 1];
    const step = segmentSize > 0 ? segmentSize : bytes.length;
    for (let at = 0; at < bytes.length; at += step) {
      const datagram = bytes.subarray(at, at + step);
      const result = reader.datagram(datagram, datagram.length, this.found);
      if (result !== MORE) return result;
    }
    return MORE;
  }

  /** Calls `late` with those that have had their time. */
  expire(late: (reading: Reading) => void): void {
    if (this.#readings.size === 0) return; // nearly always: each turn asks
    for (const reading of this.#readings.values()) {
      if (!this.#readings.isDue(reading)) return;
      if (reading.end !== null) continue;
      this.#none();
      late(reading);
    }
  }

  /** Ends one, whose datagrams still wait; its queue is whoever's that has asked. */
  end(reading: Reading): void {
    this.#readings.remove(reading, reading.queue.datagrams[0].words, 0);
  }

  /** Milliseconds until the first has had its time, -1 for ever. */
  timeout(): number {
    return this.#readings.timeout();
  }

  #none(): number {
    this.found.clear();
    return NONE;
  }
}
