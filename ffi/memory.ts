/**
 * Memory whose address is known: for C structs that hold pointers. Nothing but this object keeps it alive, so
 * whoever writes its addresses into C structs holds the object.
 * @module
 */

/** A block of memory that does not move, filled with zeros. Its addresses share their upper 32 bits. */
export class PinnedMemory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same as 32-bit words. Signed: numbers that fit into 32 bits with a sign never become objects. */
  readonly words: Int32Array<ArrayBuffer>;
  /**
   * The lower and the upper half of the first byte's address, as signed 32-bit numbers: `(low + offset) | 0`.
   */
  readonly low: number;
  readonly high: number;
  readonly #address: bigint;

  /** Takes `size` bytes, a multiple of 4. */
  constructor(size: number) {
    const crossing: Uint8Array<ArrayBuffer>[] = [];
    for (;;) {
      const bytes = new Uint8Array(size);
      const address = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
      // Kept until another is found, or the allocator would give the same again.
      crossing.push(bytes);
      if (address >> 32n !== (address + BigInt(size)) >> 32n) continue;
      this.bytes = bytes;
      this.words = new Int32Array(bytes.buffer);
      this.#address = address;
      this.low = Number(BigInt.asIntN(32, address));
      this.high = Number(BigInt.asIntN(32, address >> 32n));
      return;
    }
  }

  /** The address of the byte at `offset`. Makes a BigInt: for set-up, not for the hot path. */
  address(offset: number): bigint {
    return this.#address + BigInt(offset);
  }
}
