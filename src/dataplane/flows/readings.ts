/**
 * Flows of UDP whose names are being read, in the order in which they began. There is room for so many, and
 * where that is used up the client with most makes room: nobody keeps others' names from being read.
 * @module
 */
import { QuicReader } from "../../sniff/quic/reader.ts";
import { Shares } from "../asking/shares.ts";
import type { Clock } from "../loop/clock.ts";
import { ticks } from "../loop/wheel.ts";

/** The time that a name may take. */
const READING_TICKS = ticks(1000);

/** A flow whose name is being read. */
export interface FlowReading {
  /** Its number, wherever it is kept. */
  readonly flow: number;
  /** Its place among the readings, of {@linkcode Readings.open}. */
  readonly place: number;
  /** The tick at which it began. */
  readonly since: number;
}

/** The readings of a worker. */
export class Readings<R extends FlowReading> {
  readonly #clock: Clock;
  readonly #shares: Shares;
  readonly #freePlaces: number[];
  /** By place. */
  readonly #readings: (R | undefined)[] = [];
  readonly #readers: (QuicReader | undefined)[] = [];
  /** In the order in which they began. */
  readonly #byFlow = new Map<number, R>();

  /** `most`: there is room for so many, each of which has a reader of 20 KB. */
  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#shares = new Shares(most);
    this.#freePlaces = Array.from({ length: most }, (_, place) => place);
  }

  /** The number of readings. */
  get size(): number {
    return this.#byFlow.size;
  }

  /** Tells whether one has to make room before another begins. */
  get isFull(): boolean {
    return this.#freePlaces.length === 0;
  }

  /** The reading of a flow. */
  of(flow: number): R | undefined {
    return this.#byFlow.get(flow);
  }

  /** All, the oldest first; those met may be removed. */
  values(): MapIterator<R> {
    return this.#byFlow.values();
  }

  /** The one that should make room: the oldest of the client with most, of all where none has more. */
  victim(): R | undefined {
    return this.#readings[this.#shares.victim()];
  }

  /** A place for a reading that begins. There has to be room. */
  open(): number {
    return this.#freePlaces.pop()!;
  }

  /** The reader of a place, as for a new flow. */
  readerAt(place: number): QuicReader {
    const reader = this.#readers[place] ??= new QuicReader();
    reader.reset();
    return reader;
  }

  /** Adds one of the client whose struct sockaddr is at `at`. */
  add(reading: R, words: Int32Array, at: number): void {
    this.#readings[reading.place] = reading;
    this.#shares.add(reading.place, words, at);
    this.#byFlow.set(reading.flow, reading);
  }

  /** Removes one of the client whose struct sockaddr is at `at`. */
  remove({ flow, place }: R, words: Int32Array, at: number): void {
    this.#shares.remove(place, words, at);
    this.#readings[place] = undefined;
    this.#freePlaces.push(place);
    this.#byFlow.delete(flow);
  }

  /** Tells whether one has had its time. */
  isDue({ since }: R): boolean {
    return this.#clock.tick >= since + READING_TICKS;
  }

  /** Milliseconds until the first has had its time, -1 for ever. */
  timeout(): number {
    if (this.#byFlow.size === 0) return -1;
    const [{ since }] = this.#byFlow.values();
    return this.#clock.millisecondsTo(since + READING_TICKS);
  }
}
