/**
 * Netlink messages and their attributes (linux/netlink.h), found in place. Pure, and without allocation:
 * whatever the bytes are, nothing beyond them is read, and nothing throws.
 * @module
 */

/** sizeof(struct nlmsghdr) */
export const MESSAGE_HEADER = 16;
const TYPE = 4;
const ATTRIBUTE_HEADER = 4;
/** Two bits of an attribute's type say other things. */
const TYPE_MASK = 0x3fff;

/** The size of the message at `at`, its header included; 0: up to `end` there is none that is whole. */
export function messageSize(bytes: Uint8Array, at: number, end: number): number {
  if (at + MESSAGE_HEADER > end) return 0;
  const size = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
  return size < MESSAGE_HEADER || at + size > end ? 0 : size;
}

/** Its type. */
export function messageType(bytes: Uint8Array, at: number): number {
  return bytes[at + TYPE] | (bytes[at + TYPE + 1] << 8);
}

/** The place behind something of this size. */
export function align(size: number): number {
  return (size + 3) & ~3;
}

/** Attributes, one after another. The object is used again. */
export class Attributes {
  /** The one that {@linkcode next} has found: its type, and its value from here to there. */
  type = 0;
  value = 0;
  valueEnd = 0;
  /** No attribute so far says of itself what cannot be. */
  isWhole = true;
  #bytes: Uint8Array = new Uint8Array(0);
  #next = 0;
  #end = 0;

  /** Begins with those between the places. */
  begin(bytes: Uint8Array, at: number, end: number): void {
    this.isWhole = true;
    this.#bytes = bytes;
    this.#next = at;
    this.#end = end;
  }

  /** Goes to the next one; false: there is none. */
  next(): boolean {
    const at = this.#next;
    if (at + ATTRIBUTE_HEADER > this.#end) return false;
    const bytes = this.#bytes;
    const size = bytes[at] | (bytes[at + 1] << 8);
    this.isWhole = size >= ATTRIBUTE_HEADER && at + size <= this.#end;
    if (!this.isWhole) return false;
    this.type = (bytes[at + 2] | (bytes[at + 3] << 8)) & TYPE_MASK;
    this.value = at + ATTRIBUTE_HEADER;
    this.valueEnd = at + size;
    this.#next = at + align(size);
    return true;
  }
}
