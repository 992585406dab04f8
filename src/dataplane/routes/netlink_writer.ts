/**
 * Netlink requests of the data plane, written into memory that is used again. Pure, and without allocation.
 * @module
 */

/** sizeof(struct nlmsghdr), linux/netlink.h */
export const HEADER = 16;
const NLM_F_REQUEST = 1;
/** One who asks for no answer wants an acknowledgement. */
export const NLM_F_ACK = 4;
export const NLM_F_CREATE = 0x400;
/** NLM_F_CREATE | NLM_F_EXCL */
export const NLM_F_CREATE_NEW = 0x600;
const NESTED = 0x8000;

/** A request that is being written. */
export class NetlinkWriter {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes so far. */
  length = 0;
  /** The number of the last request. */
  sequence = 0;
  readonly #view: DataView;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Begins the next one. Its structure, of so many bytes, is all 0 but for the first. */
  begin(type: number, flags: number, structure: number, first: number): void {
    const view = this.#view;
    this.bytes.fill(0);
    this.sequence = (this.sequence + 1) & 0x7fffffff;
    view.setUint16(4, type, true);
    view.setUint16(6, flags | NLM_F_REQUEST, true);
    view.setUint32(8, this.sequence, true);
    this.bytes[HEADER] = first;
    this.length = HEADER + structure;
  }

  /** Sets a byte of the structure. */
  set(offset: number, value: number): void {
    this.bytes[HEADER + offset] = value;
  }

  /** Sets a word of the structure. */
  setWord(offset: number, value: number): void {
    this.#view.setInt32(HEADER + offset, value, true);
  }

  /** Adds an attribute of 8 bits. */
  u8(type: number, value: number): void {
    this.bytes[this.#attribute(type, 1)] = value;
  }

  /** Adds an attribute of 32 bits, in the machine's order. */
  u32(type: number, value: number): void {
    this.#view.setInt32(this.#attribute(type, 4), value, true);
  }

  /** Adds an attribute of 32 bits, in the network's order. */
  u32be(type: number, value: number): void {
    this.#view.setInt32(this.#attribute(type, 4), value, false);
  }

  /** Adds bytes as they lie in memory. */
  copy(type: number, from: Uint8Array, at: number, length: number): void {
    const place = this.#attribute(type, length);
    for (let i = 0; i < length; i++) this.bytes[place + i] = from[at + i];
  }

  /** Begins an attribute that holds others. Where it begins, for {@linkcode endNest}. */
  beginNest(type: number): number {
    const at = this.length;
    this.#view.setUint16(at + 2, type | NESTED, true);
    this.length = at + 4;
    return at;
  }

  /** Ends it. */
  endNest(at: number): void {
    this.#view.setUint16(at, this.length - at, true);
  }

  /** Ends the request. */
  end(): void {
    this.#view.setUint32(0, this.length, true);
  }

  #attribute(type: number, length: number): number {
    const at = this.length;
    this.#view.setUint16(at, 4 + length, true);
    this.#view.setUint16(at + 2, type, true);
    this.length = at + ((4 + length + 3) & ~3);
    return at + 4;
  }
}
