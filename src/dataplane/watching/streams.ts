/**
 * Streams that are watched, as far as they are known: where each begins, and what its client has said. There
 * are no timers: the oldest give way.
 * @module
 */
import { STREAM_LIMIT } from "../../sniff/stream.ts";
import { Shares } from "../asking/shares.ts";
import { ASKED_CLIENT } from "../asking/question.ts";
import { joinWords } from "../handover/estate.ts";
import { FlowPlaces, KEY_WORDS } from "../flows/flow_places.ts";

/** Streams of a worker. One that has given way begins, as it seems, with what is seen of it next. */
const MOST_STREAMS = 8192;
/** Streams of which something is kept. */
const MOST_HEADS = 256;
/** The longest head. */
export const HEAD_BYTES: number = STREAM_LIMIT;
const NO_HEAD = -1;

/** Places in the words of a stream that another process is told of, its key first. */
const GIVEN_STREAM = {
  begin: KEY_WORDS,
  length: KEY_WORDS + 1,
  state: KEY_WORDS + 2,
  /** Bytes that are kept of it; they follow. */
  kept: KEY_WORDS + 3,
  head: KEY_WORDS + 4,
} as const;

/** State of a stream whose name is not known yet. */
export const UNDECIDED = 0;
/** State of one that goes on for good. */
export const RELEASED = 1;
/** State of one that was reset. */
export const REFUSED = 2;

/** See the module. A stream is a place, a number. */
export class Streams {
  readonly #places = new FlowPlaces(MOST_STREAMS);
  readonly #shares = new Shares(MOST_STREAMS);
  readonly #headShares = new Shares(MOST_HEADS);
  /** By place: the number of the first byte, how many have come, and where they are kept. */
  readonly #begins = new Int32Array(MOST_STREAMS);
  readonly #lengths = new Int32Array(MOST_STREAMS);
  readonly #heads = new Int16Array(MOST_STREAMS).fill(NO_HEAD);
  readonly #states = new Uint8Array(MOST_STREAMS);
  readonly #freeHeads = Array.from({ length: MOST_HEADS }, (_, head) => head);
  readonly #headPlaces = new Int32Array(MOST_HEADS);
  readonly #bytes: readonly Uint8Array<ArrayBuffer>[];

  constructor() {
    // One block: pages that nobody has written to cost nothing.
    const memory = new ArrayBuffer(MOST_HEADS * HEAD_BYTES);
    this.#bytes = this.#freeHeads.map((head) => new Uint8Array(memory, head * HEAD_BYTES, HEAD_BYTES));
  }

  /** The number of streams that are known. */
  get size(): number {
    return this.#shares.size;
  }

  /** The stream with these ends; -1: it is not known. */
  find(addresses: Int32Array): number {
    return this.#places.find(addresses);
  }

  /** Begins a stream whose first byte has the number `sequence`; one with the same ends is no more. */
  begin(addresses: Int32Array, sequence: number): number {
    const before = this.#places.find(addresses);
    if (before >= 0) this.#forget(before);
    if (this.#shares.size === MOST_STREAMS) this.#forget(this.#shares.victim());
    const stream = this.#places.add(addresses);
    this.#shares.add(stream, addresses, ASKED_CLIENT);
    this.#begins[stream] = sequence;
    this.#lengths[stream] = 0;
    this.#states[stream] = UNDECIDED;
    return stream;
  }

  /** The bytes between the stream's begin and the number `sequence`; negative before it. */
  offsetOf(stream: number, sequence: number): number {
    return (sequence - this.#begins[stream]) | 0;
  }

  /** The number of bytes that have come without a gap. */
  lengthOf(stream: number): number {
    return this.#lengths[stream];
  }

  /** The number of the byte that the server waits for. */
  nextOf(stream: number): number {
    return (this.#begins[stream] + this.#lengths[stream]) | 0;
  }

  /** The bytes that have come, up to HEAD_BYTES. */
  headOf(stream: number): Uint8Array<ArrayBuffer> {
    return this.#bytes[this.#heads[stream]];
  }

  /** Adds `length` bytes that begin `offset` bytes behind the stream's begin, and leave no gap. */
  add(stream: number, offset: number, from: Uint8Array, at: number, length: number): void {
    if (this.#heads[stream] === NO_HEAD) this.#open(stream);
    const head = this.headOf(stream);
    const end = Math.min(offset + length, HEAD_BYTES);
    for (let to = offset; to < end; to++) head[to] = from[at + to - offset];
    if (offset + length > this.#lengths[stream]) this.#lengths[stream] = offset + length;
  }

  /** Takes note of what has become of the stream: segments may have been on their way before. */
  decide(stream: number, state: typeof RELEASED | typeof REFUSED): void {
    this.#close(stream);
    this.#states[stream] = state;
  }

  /** UNDECIDED, RELEASED or REFUSED. */
  stateOf(stream: number): number {
    return this.#states[stream];
  }

  /** Describes all for another process, the oldest first: see {@linkcode GIVEN_STREAM}. */
  give(): Int32Array {
    const { keys } = this.#places;
    const rows: Int32Array[] = [];
    for (const stream of this.#shares.all()) {
      const head = this.#heads[stream] === NO_HEAD ? null : this.headOf(stream);
      const kept = head === null ? 0 : Math.min(this.#lengths[stream], HEAD_BYTES);
      const row = new Int32Array(GIVEN_STREAM.head + Math.ceil(kept / 4));
      row.set(keys.subarray(stream * KEY_WORDS, (stream + 1) * KEY_WORDS));
      row[GIVEN_STREAM.begin] = this.#begins[stream];
      row[GIVEN_STREAM.length] = this.#lengths[stream];
      row[GIVEN_STREAM.state] = this.#states[stream];
      row[GIVEN_STREAM.kept] = kept;
      if (head !== null) new Uint8Array(row.buffer).set(head.subarray(0, kept), 4 * GIVEN_STREAM.head);
      rows.push(row);
    }
    return joinWords(rows);
  }

  /** Goes on with those that another process has described. */
  inherit(rows: Int32Array): void {
    for (let at = 0; at + GIVEN_STREAM.head <= rows.length;) {
      const row = rows.subarray(at);
      const kept = Math.min(row[GIVEN_STREAM.kept], HEAD_BYTES);
      const stream = this.begin(row.subarray(0, KEY_WORDS), row[GIVEN_STREAM.begin]);
      const bytes = new Uint8Array(row.buffer, row.byteOffset + 4 * GIVEN_STREAM.head, kept);
      if (kept > 0) this.add(stream, 0, bytes, 0, kept);
      this.#lengths[stream] = row[GIVEN_STREAM.length];
      this.#states[stream] = row[GIVEN_STREAM.state];
      at += GIVEN_STREAM.head + Math.ceil(kept / 4);
    }
  }

  /** Knows the stream no longer. */
  #forget(stream: number): void {
    this.#close(stream);
    const { keys } = this.#places;
    this.#shares.remove(stream, keys, stream * KEY_WORDS + ASKED_CLIENT);
    this.#places.remove(stream);
  }

  #open(stream: number): void {
    if (this.#freeHeads.length === 0) this.#forget(this.#headPlaces[this.#headShares.victim()]);
    const head = this.#freeHeads.pop()!;
    this.#heads[stream] = head;
    this.#headPlaces[head] = stream;
    this.#headShares.add(head, this.#places.keys, stream * KEY_WORDS + ASKED_CLIENT);
  }

  #close(stream: number): void {
    const head = this.#heads[stream];
    if (head === NO_HEAD) return;
    this.#headShares.remove(head, this.#places.keys, stream * KEY_WORDS + ASKED_CLIENT);
    this.#heads[stream] = NO_HEAD;
    this.#freeHeads.push(head);
  }
}
