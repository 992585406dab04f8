/**
 * The registers of nf_tables, of whose bits only some are known. Pure.
 * @module
 */
import type { PartialBytes } from "./partial.ts";

/** Bytes of all registers. */
const SIZE = 64;

/** The kernel's registers: 64 bytes, named as four of 16 bytes (1 to 4) or sixteen of 4 bytes (8 to 23). */
export class Registers {
  readonly #bytes = new Uint8Array(SIZE);
  readonly #known = new Uint8Array(SIZE);

  static #offset(register: number): number {
    return register < 8 ? (register - 1) * 16 : (register - 8) * 4;
  }

  /**
   * Writes a value; undefined: one that is not known. It fills whole registers of 4 bytes, with zeros at its
   * end.
   */
  set(register: number, value: PartialBytes | undefined): void {
    const start = Registers.#offset(register);
    const size = value === undefined ? 16 : Math.ceil(value.bytes.length / 4) * 4;
    this.#bytes.fill(0, start, start + size);
    this.#known.fill(value === undefined ? 0 : 0xff, start, start + size);
    if (value === undefined) return;
    // The kernel takes no value that has no room.
    for (let at = 0; at < value.bytes.length && start + at < SIZE; at++) {
      this.#bytes[start + at] = value.bytes[at];
      this.#known[start + at] = value.known[at];
    }
  }

  /** Reads so many bytes. */
  get(register: number, length: number): PartialBytes {
    const start = Registers.#offset(register);
    return {
      bytes: this.#bytes.slice(start, start + length),
      known: this.#known.slice(start, start + length),
    };
  }

  /** Forgets everything. */
  clear(): void {
    this.#known.fill(0);
  }
}
