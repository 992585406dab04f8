/**
 * Entries that a line of a list makes. Pure.
 * @module
 */
import { canonicalize, canonicalName, MAX_NAME_LENGTH } from "../canonical.ts";
import type { NameKind } from "../kinds.ts";

/** Taker of an entry: the first `length` bytes are a canonical name, until the next entry comes. */
export type TakeName = (kind: NameKind, name: Uint8Array, length: number) => void;

const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();

/** Maker of entries from the bytes of a list; one memory for all names. */
export class Entries {
  readonly #name = new Uint8Array(MAX_NAME_LENGTH);
  readonly #take: TakeName;

  /** Makes entries for `take`. */
  constructor(take: TakeName) {
    this.#take = take;
  }

  /** Makes an entry of the name in `bytes`, `start` to `end`. Returns false if that is no name. */
  make(kind: NameKind, bytes: Uint8Array, start: number, end: number): boolean {
    const length = canonicalize(bytes, start, end, this.#name) || this.#international(bytes, start, end);
    if (length === 0) return false;
    this.#take(kind, this.#name, length);
    return true;
  }

  #international(bytes: Uint8Array, start: number, end: number): number {
    const written = bytes.subarray(start, end);
    if (written.every((byte) => byte < 0x80)) return 0;
    const name = canonicalName(DECODER.decode(written));
    return name === undefined ? 0 : ENCODER.encodeInto(name, this.#name).written;
  }
}
