/**
 * Fragments of a datagram that a link does not take whole, as its client has sent it or a router would. Each
 * has its IP header here, and its part of the datagram where that lies. Without allocation.
 * @module
 */
import { PinnedMemory } from "../../../../ffi/memory.ts";
import { get16, put16, put32 } from "../../asking/packet/bytes.ts";
import type { HeldPacket } from "../../asking/question.ts";

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const FRAGMENT_HEADER = 8;
const FRAGMENT = 44;
/** The offset of a fragment counts units of so many bytes. */
const UNIT = 8;
const MORE_IPV4 = 0x20;
const DONT_FRAGMENT = 0x40;
const MORE_IPV6 = 1;

/** See the module. The object is used again for the next datagram. */
export class Fragments {
  /** The bytes of the header of the fragment at hand, and both halves of its address. */
  headerLength = 0;
  readonly low: number;
  readonly high: number;
  /** The bytes of its part, and the lower half of their address. */
  dataLength = 0;
  dataLow = 0;
  readonly #memory = new PinnedMemory(IPV6_HEADER + FRAGMENT_HEADER);
  #packet: HeldPacket | null = null;
  #isIpv4 = false;
  #sent = 0;
  /** IPv6, and IPv4 where the datagram has none: a number that the fragments share. */
  #identification: number;

  /** `identification`: of the first datagram; the next ones count on. */
  constructor(identification: number) {
    this.#identification = identification;
    this.low = this.#memory.low;
    this.high = this.#memory.high;
  }

  /** Begins to cut. False: its client does not let a router do it. */
  begin(packet: HeldPacket): boolean {
    const { bytes, offset, header } = packet;
    const { bytes: own } = this.#memory;
    this.#isIpv4 = bytes[offset] >> 4 === 4;
    if (this.#isIpv4 && (bytes[offset + 6] & DONT_FRAGMENT) !== 0) return false;
    this.#packet = packet;
    this.#sent = 0;
    const identification = this.#identification = (this.#identification + 1) | 0;
    const length = this.#isIpv4 ? IPV4_HEADER : IPV6_HEADER;
    // Others were left out when the datagram was read.
    if (header !== length) return false;
    for (let i = 0; i < length; i++) own[i] = bytes[offset + i];
    if (this.#isIpv4) {
      // The kernel gives each packet that has none one of its own.
      if (get16(own, 4) === 0) put16(own, 4, (identification & 0xffff) || 1);
      this.headerLength = IPV4_HEADER;
    } else {
      own[IPV6_HEADER] = own[6];
      own[IPV6_HEADER + 1] = 0;
      own[6] = FRAGMENT;
      put32(own, IPV6_HEADER + 4, identification);
      this.headerLength = IPV6_HEADER + FRAGMENT_HEADER;
    }
    return true;
  }

  /** Makes the next fragment, a packet of at most `size` bytes. */
  take(size: number): void {
    const { header, length, low } = this.#packet!;
    const { bytes } = this.#memory;
    const rest = length - header - this.#sent;
    const room = size - this.headerLength;
    const isLast = rest <= room;
    this.dataLength = isLast ? rest : room - room % UNIT;
    this.dataLow = (low + header + this.#sent) | 0;
    if (this.#isIpv4) {
      put16(bytes, 2, IPV4_HEADER + this.dataLength);
      put16(bytes, 6, this.#sent / UNIT);
      if (!isLast) bytes[6] |= MORE_IPV4;
    } else {
      put16(bytes, 4, FRAGMENT_HEADER + this.dataLength);
      put16(bytes, IPV6_HEADER + 2, this.#sent | (isLast ? 0 : MORE_IPV6));
    }
  }

  /** The fragment at hand has been sent. Tells whether there is another. */
  next(): boolean {
    const { header, length } = this.#packet!;
    this.#sent += this.dataLength;
    return header + this.#sent < length;
  }
}
