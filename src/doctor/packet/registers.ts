/**
 * The registers of nf_tables, of whose bytes only some are known. Pure.
 * @module
 */

/** The kernel's registers: 64 bytes, named as four of 16 bytes (1 to 4) or sixteen of 4 bytes (8 to 23). */
export class Registers {
  readonly #bytes = new Uint8Array(64);
  readonly #known = new Uint8Array(64);

  static #offset(register: number): number {
    return register < 8 ? (register - 1) * 16 : (register - 8) * 4;
  }

  /**
   * Writes a value; undefined: one that is not known. It fills whole registers of 4 bytes, with zeros at its
   * end.
   */
  set(register: number, value: Uint8Array | undefined): void {
    const start = Registers.#offset(register);
    const size = value === undefined ? 16 : Math.ceil(value.length / 4) * 4;
    this.#bytes.fill(0, start, start + size);
    this.#known.fill(value === undefined ? 0 : 1, start, start + size);
    if (value !== undefined) this.#bytes.set(value, start);
  }

  /** Reads so many bytes; undefined where one of them is not known. */
  get(register: number, length: number): Uint8Array | undefined {
    const start = Registers.#offset(register);
    const known = this.#known.subarray(start, start + length);
    return known.length === length && known.every((byte) => byte === 1)
      ? this.#bytes.slice(start, start + length)
      : undefined;
  }

  /** Forgets everything. */
  clear(): void {
    this.#known.fill(0);
  }
}
