/**
 * The input at hand, in memory that another thread can read while this one hangs.
 * @module
 */

const MOST_BYTES = 1 << 17;
const COUNT = 0;
const PARSER = 1;
const LENGTH = 2;
const HEAD_BYTES = 12;

/** See the module. */
export class Beacon {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory = new SharedArrayBuffer(HEAD_BYTES + MOST_BYTES)) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, HEAD_BYTES / 4);
    this.#bytes = new Uint8Array(memory, HEAD_BYTES);
  }

  /** Tells that a parser is about to read an input. */
  show(parser: number, input: Uint8Array): void {
    const length = Math.min(input.length, MOST_BYTES);
    this.#bytes.set(input.subarray(0, length));
    this.#words[PARSER] = parser;
    this.#words[LENGTH] = length;
    Atomics.add(this.#words, COUNT, 1);
  }

  /** Another number for each input. */
  get count(): number {
    return Atomics.load(this.#words, COUNT);
  }

  /** The number of the parser. */
  get parser(): number {
    return this.#words[PARSER];
  }

  /** A copy of the input. */
  get input(): Uint8Array {
    return this.#bytes.slice(0, this.#words[LENGTH]);
  }
}
