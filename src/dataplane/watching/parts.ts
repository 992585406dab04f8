/**
 * Parts of a segment that no link takes whole: the kernel had joined it from several. Each has the segment's
 * headers and some of its data. They are made where the segment lies, one after another. Pure, and without
 * allocation.
 * @module
 */
import { get16, put16, put32 } from "../asking/packet/bytes.ts";
import type { Segment } from "./segment.ts";

/** Headers of IPv6 and TCP with all options are 100 bytes; extension headers seldom add so much. */
const MOST_HEADERS = 256;
const IPV6_HEADER = 40;
const FLAGS_AT = 13;
const FIN = 0x01;
const PSH = 0x08;

/** See the module. The object is used again for the next segment. */
export class Parts {
  readonly #headers = new Uint8Array(MOST_HEADERS);
  #segment: Segment | null = null;
  #size = 0;
  /** Data that have been sent; those of the part at hand; and all. */
  #sent = 0;
  #taken = 0;
  #total = 0;
  #number = 0;

  /** Begins to cut. False: it cannot be cut. */
  begin(segment: Segment): boolean {
    this.#size = segment.data - segment.offset;
    if (this.#size > MOST_HEADERS) return false;
    this.#segment = segment;
    this.#total = segment.dataLength;
    this.#sent = this.#taken = this.#number = 0;
    for (let i = 0; i < this.#size; i++) this.#headers[i] = segment.bytes[segment.offset + i];
    return true;
  }

  /** True where nothing is left behind the part at hand. */
  get isLast(): boolean {
    return this.#sent + this.#taken === this.#total;
  }

  /** Makes the segment its next part: a packet of at most `bytes`. */
  take(bytes: number): void {
    const segment = this.#segment!;
    this.#taken = Math.min(bytes - this.#size, this.#total - this.#sent);
    const at = segment.data + this.#sent - this.#size;
    segment.low = (segment.low + at - segment.offset) | 0;
    segment.offset = at;
    segment.length = this.#size + this.#taken;
    const { bytes: memory } = segment;
    for (let i = 0; i < this.#size; i++) memory[at + i] = this.#headers[i];
    putLength(memory, at, segment.isIpv4, segment.length);
    if (segment.isIpv4) put16(memory, at + 4, get16(memory, at + 4) + this.#number);
    const tcp = at + segment.header;
    put32(memory, tcp + 4, segment.sequence + this.#sent);
    if (!this.isLast) memory[tcp + FLAGS_AT] &= ~(FIN | PSH);
  }

  /** The part at hand has been sent. Tells whether there is another. */
  next(): boolean {
    this.#sent += this.#taken;
    this.#taken = 0;
    this.#number++;
    return this.#sent < this.#total;
  }
}

/** Writes the length of a packet into the header that begins at `at`. */
export function putLength(bytes: Uint8Array, at: number, isIpv4: boolean, length: number): void {
  if (isIpv4) put16(bytes, at + 2, length);
  else put16(bytes, at + 4, length - IPV6_HEADER);
}
