/**
 * A reset that a client would have sent to its server. Without allocation.
 * @module
 */
import { IPPROTO_TCP } from "../../../ffi/consts.ts";
import { PinnedMemory } from "../../../ffi/memory.ts";
import { put32 } from "../asking/packet/bytes.ts";
import type { HeldPacket } from "../asking/question.ts";
import type { Segment } from "./segment.ts";

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const TCP_HEADER = 20;
const DONT_FRAGMENT = 0x40;
const HOPS = 64;
const RST_ACK = 0x14;

/** The packet. The object is used again for the next. */
export class Reset implements HeldPacket {
  readonly protocol = IPPROTO_TCP;
  addresses = new Int32Array(0);
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly low: number;
  readonly high: number;
  readonly offset = 0;
  length = 0;
  header = 0;

  constructor() {
    const { bytes, low, high } = new PinnedMemory(IPV6_HEADER + TCP_HEADER);
    this.bytes = bytes;
    this.low = low;
    this.high = high;
  }

  /** Makes it the reset of the segment's connection; `next`: the number of the byte that it expects there. */
  of(segment: Segment, next: number): this {
    const { bytes } = this;
    const { isIpv4, bytes: from, offset } = segment;
    this.addresses = segment.addresses;
    this.header = isIpv4 ? IPV4_HEADER : IPV6_HEADER;
    this.length = this.header + TCP_HEADER;
    bytes.fill(0);
    bytes[0] = isIpv4 ? 0x45 : 0x60;
    if (isIpv4) {
      bytes[3] = this.length;
      bytes[6] = DONT_FRAGMENT;
      bytes[8] = HOPS;
      bytes[9] = IPPROTO_TCP;
      for (let i = 12; i < IPV4_HEADER; i++) bytes[i] = from[offset + i];
    } else {
      bytes[5] = TCP_HEADER;
      bytes[6] = IPPROTO_TCP;
      bytes[7] = HOPS;
      for (let i = 8; i < IPV6_HEADER; i++) bytes[i] = from[offset + i];
    }
    for (let i = 0; i < 4; i++) bytes[this.header + i] = from[offset + segment.header + i]; // ports
    put32(bytes, this.header + 4, next);
    put32(bytes, this.header + 8, segment.acknowledged);
    bytes[this.header + 12] = (TCP_HEADER / 4) << 4;
    bytes[this.header + 13] = RST_ACK;
    return this;
  }
}
