/**
 * TCP segments as the kernel tells of them. Pure, and without allocation: whatever the bytes are, nothing
 * beyond them is read, and nothing throws.
 * @module
 */
import { AF_INET, IPPROTO_TCP } from "../../../ffi/consts.ts";
import { get16, get32 } from "../asking/packet/bytes.ts";
import { writeIpv4, writeIpv6 } from "../asking/packet/ends.ts";
import { Behind } from "../asking/packet/extensions.ts";
import { ASKED_CLIENT, ASKED_DESTINATION, type HeldPacket } from "../asking/question.ts";
import { KEY_WORDS } from "../flows/flow_places.ts";

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const TCP_HEADER = 20;
const SYN = 0x02;

const behind = new Behind();

/** Memory as bytes and as words; `high`: the upper half of its addresses. */
export interface SegmentMemory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Int32Array<ArrayBuffer>;
  readonly high: number;
}

/** Facts of a packet as the kernel tells them: where its copy lies, its mark, the interface it came by. */
export interface KernelPacket {
  readonly payload: number;
  readonly length: number;
  readonly mark: number;
  readonly iif: number;
}

/** A segment. The object is used again for the next. */
export class Segment implements HeldPacket {
  readonly protocol = IPPROTO_TCP;
  readonly addresses: Int32Array<ArrayBuffer> = new Int32Array(KEY_WORDS);
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  offset = 0;
  low = 0;
  high = 0;
  length = 0;
  header = 0;
  /** The place in {@linkcode bytes} at which its data begin, and their length. */
  data = 0;
  dataLength = 0;
  /** Signed numbers, as they wrap around. */
  sequence = 0;
  acknowledged = 0;
  /** True of what begins a stream: its first byte has the next number. */
  isSyn = false;
  /** The mark that the router's rules have given it. */
  mark = 0;
  /** Number of the interface by which it came. */
  iif = 0;
  /** NAT is about to change its destination, or may be. */
  isRedirected = false;

  /**
   * Reads the packet of a message, which begins at the address `low`. False: it is no TCP segment, or its
   * headers are not whole. Data that the kernel has not copied are left out: the client repeats them.
   */
  read({ bytes, words, high }: SegmentMemory, packet: KernelPacket, low: number): boolean {
    const at = packet.payload;
    const end = at + packet.length;
    if ((at & 3) !== 0 || packet.length < IPV4_HEADER) return false;
    this.bytes = bytes;
    this.high = high;
    this.low = low;
    this.offset = at;
    this.mark = packet.mark;
    this.iif = packet.iif;
    const version = bytes[at] >> 4;
    if (version === 4) return this.#readIpv4(words, at, end);
    return version === 6 && packet.length >= IPV6_HEADER && this.#readIpv6(words, at, end);
  }

  /** TOS or traffic class. */
  get tos(): number {
    const { bytes, offset } = this;
    return this.isIpv4 ? bytes[offset + 1] : ((bytes[offset] & 15) << 4) | (bytes[offset + 1] >> 4);
  }

  get isIpv4(): boolean {
    return (this.addresses[ASKED_CLIENT] & 0xffff) === AF_INET;
  }

  #readIpv4(words: Int32Array, at: number, end: number): boolean {
    const { bytes, addresses } = this;
    const header = (bytes[at] & 15) * 4;
    const total = at + get16(bytes, at + 2);
    if (header < IPV4_HEADER || bytes[at + 9] !== IPPROTO_TCP) return false;
    // The kernel tells no length of what it has joined from segments of more than 64 KiB.
    if (!this.#readTcp(at + header, total === at ? end : Math.min(total, end))) return false;
    const ports = words[(at + header) >> 2];
    const ip = at >> 2;
    writeIpv4(addresses, ASKED_CLIENT, words[ip + 3], ports);
    writeIpv4(addresses, ASKED_DESTINATION, words[ip + 4], ports >>> 16);
    return true;
  }

  #readIpv6(words: Int32Array, at: number, end: number): boolean {
    const { bytes, addresses } = this;
    const length = get16(bytes, at + 4);
    if (!behind.find(bytes, at, end) || behind.protocol !== IPPROTO_TCP) return false;
    const total = length === 0 ? end : Math.min(at + IPV6_HEADER + length, end);
    if (!this.#readTcp(behind.at, total)) return false;
    const ports = words[behind.at >> 2];
    const ip = at >> 2;
    writeIpv6(addresses, ASKED_CLIENT, words, ip + 2, ports);
    writeIpv6(addresses, ASKED_DESTINATION, words, ip + 6, ports >>> 16);
    return true;
  }

  #readTcp(at: number, end: number): boolean {
    const { bytes } = this;
    if (at + TCP_HEADER > end) return false;
    const size = (bytes[at + 12] >> 4) * 4;
    if (size < TCP_HEADER || at + size > end) return false;
    this.header = at - this.offset;
    this.length = end - this.offset;
    this.data = at + size;
    this.dataLength = end - this.data;
    this.sequence = get32(bytes, at + 4);
    this.acknowledged = get32(bytes, at + 8);
    this.isSyn = (bytes[at + 13] & SYN) !== 0;
    return true;
  }
}
