/**
 * The flows of a worker that have ended and that the main thread has not read yet: a ring of records of one
 * size in shared memory. The worker writes, the main thread reads; neither waits for the other. Where the
 * ring is full a flow is counted as missed. Pure.
 *
 * ```
 * record:  4 floats: started, ended, bytes up, bytes down
 *          10 words (WORD); struct sockaddr of client, destination and upstream; 256 bytes of the name
 * ```
 * @module
 */
import { copyAddress } from "../shared/addresses.ts";
import { ADDRESS_WORDS, type Columns } from "../shared/columns.ts";
import type { NamePlaces } from "./name_places.ts";

/** Room for what ends in 200 ms on a busy router. */
export const RING_RECORDS = 1024;

const FLOATS = 4;
/** Places of the words of a record, after its floats. */
const WORD = {
  protocol: 0,
  ending: 1,
  generation: 2,
  rule: 3,
  carrier: 4,
  connectMs: 5,
  nameLength: 6,
  slot: 7,
  tag: 8,
  client: 10,
  destination: 10 + ADDRESS_WORDS,
  upstream: 10 + 2 * ADDRESS_WORDS,
  name: 10 + 3 * ADDRESS_WORDS,
} as const;
const RECORD_WORDS = 2 * FLOATS + WORD.name + 64;
const HEADER_WORDS = 64;

// Words of the header: each writer has a cache line of its own.
const WRITTEN = 0;
const MISSED = 1;
const READ = 16;
const WANTED = 32;

/** Returns fresh memory. Nothing of it is used before flows are wanted. */
export function allocateRing(): SharedArrayBuffer {
  return new SharedArrayBuffer((HEADER_WORDS + RING_RECORDS * RECORD_WORDS) * 4);
}

/** A record as it was read. */
export interface FlowRecord {
  /** Milliseconds of CLOCK_MONOTONIC. */
  readonly started: number;
  readonly ended: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Numbers, as in the ledger. */
  readonly protocol: number;
  readonly ending: number;
  readonly generation: number;
  readonly rule: number;
  readonly carrier: number;
  readonly connectMs: number;
  readonly slot: number;
  readonly tag: number;
  /** Struct sockaddr; family 0: not known. */
  readonly client: Uint8Array<ArrayBuffer>;
  readonly destination: Uint8Array<ArrayBuffer>;
  readonly upstream: Uint8Array<ArrayBuffer>;
  /** Bytes that a client has sent. */
  readonly name: Uint8Array<ArrayBuffer>;
}

/** A view on a ring. */
export class FlowRing {
  readonly #header: Int32Array<SharedArrayBuffer>;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #floats: Float64Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer) {
    this.#header = new Int32Array(memory, 0, HEADER_WORDS);
    this.#words = new Int32Array(memory);
    this.#floats = new Float64Array(memory);
    this.#bytes = new Uint8Array(memory);
  }

  /** Tells whether somebody reads. */
  get wanted(): boolean {
    return this.#header[WANTED] === 1;
  }

  /** Says, as the reader, whether it reads from now on. */
  want(wanted: boolean): void {
    Atomics.store(this.#header, WANTED, wanted ? 1 : 0);
  }

  /** Writes the session of a row that is about to end. `ended`: milliseconds of CLOCK_MONOTONIC. */
  write(
    columns: Columns,
    slot: number,
    names: NamePlaces,
    protocol: number,
    ending: number,
    ended: number,
  ): void {
    const written = this.#header[WRITTEN];
    if (((written - Atomics.load(this.#header, READ)) | 0) >= RING_RECORDS) {
      this.#header[MISSED]++;
      return;
    }
    const record = placeOf(written);
    const floats = record >> 1;
    const { bytes, bytesBefore } = columns;
    this.#floats[floats] = columns.started[slot];
    this.#floats[floats + 1] = ended;
    this.#floats[floats + 2] = bytes[2 * slot] - bytesBefore[2 * slot];
    this.#floats[floats + 3] = bytes[2 * slot + 1] - bytesBefore[2 * slot + 1];
    const words = this.#words;
    const at = record + 2 * FLOATS;
    words[at + WORD.protocol] = protocol;
    words[at + WORD.ending] = ending;
    words[at + WORD.generation] = columns.generation[slot];
    words[at + WORD.rule] = columns.rule[slot];
    words[at + WORD.carrier] = columns.carrier[slot];
    words[at + WORD.connectMs] = columns.connectMs[slot];
    words[at + WORD.slot] = slot;
    words[at + WORD.tag] = columns.tag[slot];
    copyAddress(columns.client, slot * ADDRESS_WORDS, words, at + WORD.client);
    copyAddress(columns.destination, slot * ADDRESS_WORDS, words, at + WORD.destination);
    copyAddress(columns.upstream, slot * ADDRESS_WORDS, words, at + WORD.upstream);
    const place = columns.name[slot];
    words[at + WORD.nameLength] = place < 0 ? 0 : names.copy(place, this.#bytes, (at + WORD.name) * 4);
    Atomics.store(this.#header, WRITTEN, (written + 1) | 0);
  }

  /** The time at which the oldest has ended; Infinity: there is none. */
  get oldest(): number {
    const read = this.#header[READ];
    return read === Atomics.load(this.#header, WRITTEN) ? Infinity : this.#floats[(placeOf(read) >> 1) + 1];
  }

  /** Takes the oldest record out. There must be one. */
  read(): FlowRecord {
    const read = this.#header[READ];
    const record = placeOf(read);
    const at = record + 2 * FLOATS;
    const [started, ended, bytesUp, bytesDown] = this.#floats.subarray(record >> 1, (record >> 1) + FLOATS);
    const word = (place: number) => this.#words[at + place];
    const copy = (place: number, length: number) =>
      Uint8Array.from(this.#bytes.subarray((at + place) * 4, (at + place) * 4 + length));
    const flow = {
      started,
      ended,
      bytesUp,
      bytesDown,
      protocol: word(WORD.protocol),
      ending: word(WORD.ending),
      generation: word(WORD.generation),
      rule: word(WORD.rule),
      carrier: word(WORD.carrier),
      connectMs: word(WORD.connectMs),
      slot: word(WORD.slot),
      tag: word(WORD.tag) >>> 0,
      client: copy(WORD.client, ADDRESS_WORDS * 4),
      destination: copy(WORD.destination, ADDRESS_WORDS * 4),
      upstream: copy(WORD.upstream, ADDRESS_WORDS * 4),
      name: copy(WORD.name, word(WORD.nameLength)),
    };
    Atomics.store(this.#header, READ, (read + 1) | 0);
    return flow;
  }

  /** Takes all records out. Returns their number. */
  skip(): number {
    const written = Atomics.load(this.#header, WRITTEN);
    const records = (written - this.#header[READ]) | 0;
    Atomics.store(this.#header, READ, written);
    return records;
  }

  /** Flows that were wanted and found no place, so far; it wraps around as an Int32 does. */
  get missed(): number {
    return Atomics.load(this.#header, MISSED);
  }
}

/** The first word of a record: their number divides 2 ** 32. */
function placeOf(count: number): number {
  return HEADER_WORDS + (count & (RING_RECORDS - 1)) * RECORD_WORDS;
}
