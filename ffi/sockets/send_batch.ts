/**
 * sendmmsg(2): many datagrams with one call. The bytes are not copied: they are where a ReceiveBatch has
 * them.
 * @module
 */
import {
  AF_INET,
  IP_PKTINFO,
  IP_TOS,
  IP_TTL,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IPV6_TCLASS,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOL_IP,
  SOL_IPV6,
  SOL_UDP,
  UDP_SEGMENT,
} from "../consts.ts";
import { result } from "../errno.ts";
import {
  CMSGHDR_SIZE,
  CMSGHDR_WORD,
  IN6_PKTINFO_SIZE,
  IN_PKTINFO_SIZE,
  IN_PKTINFO_SOURCE,
  IOVEC_SIZE,
  MMSGHDR_SIZE,
  MMSGHDR_WORD,
  SOCKADDR_IN6_SIZE,
  SOCKADDR_IN_SIZE,
  SOCKADDR_SIZE,
} from "../layout.ts";
import { libc } from "../libc.ts";
import { PinnedMemory } from "../memory.ts";

const CONTROL_SIZE = 96;
const UDP_HEADER_SIZE = 8;

/** Room for `capacity` messages of `pieces` pieces of memory altogether. */
export class SendBatch {
  readonly capacity: number;
  readonly pieces: number;
  /** The number of messages. */
  count = 0;
  /** The number of pieces. */
  used = 0;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #low: number;
  readonly #high: number;
  readonly #iovecs: number;
  readonly #names: number;
  readonly #control: number;
  readonly #udp: number;
  readonly #headers: bigint[];
  readonly #memory: PinnedMemory;

  constructor(capacity: number, pieces: number) {
    this.capacity = capacity;
    this.pieces = pieces;
    this.#iovecs = capacity * MMSGHDR_SIZE;
    this.#names = this.#iovecs + pieces * IOVEC_SIZE;
    this.#control = this.#names + capacity * SOCKADDR_SIZE;
    this.#udp = this.#control + capacity * CONTROL_SIZE;
    this.#memory = new PinnedMemory(this.#udp + capacity * UDP_HEADER_SIZE);
    this.#words = this.#memory.words;
    this.#low = this.#memory.low;
    this.#high = this.#memory.high;
    this.#headers = Array.from({ length: capacity }, (_, k) => this.#memory.address(k * MMSGHDR_SIZE));
    for (let k = 0; k < capacity; k++) {
      const header = (k * MMSGHDR_SIZE) >> 2;
      this.#words[header + MMSGHDR_WORD.name] = (this.#low + this.#names + k * SOCKADDR_SIZE) | 0;
      this.#words[header + MMSGHDR_WORD.name + 1] = this.#high;
      this.#words[header + MMSGHDR_WORD.iovecs + 1] = this.#high;
      this.#words[header + MMSGHDR_WORD.control] = (this.#low + this.#control + k * CONTROL_SIZE) | 0;
      this.#words[header + MMSGHDR_WORD.control + 1] = this.#high;
    }
  }

  /** Forgets all messages. */
  clear(): void {
    this.count = this.used = 0;
  }

  /**
   * Begins a message to the struct sockaddr at `at` in `words`. Further calls are about it, until the next
   * begins.
   */
  begin(words: Int32Array, at: number): void {
    const k = this.count++;
    const own = this.#words;
    const header = (k * MMSGHDR_SIZE) >> 2;
    const name = (this.#names + k * SOCKADDR_SIZE) >> 2;
    const ipv4 = (words[at] & 0xffff) === AF_INET;
    const length = ipv4 ? SOCKADDR_IN_SIZE : SOCKADDR_IN6_SIZE;
    for (let word = 0; word < length >> 2; word++) own[name + word] = words[at + word];
    own[header + MMSGHDR_WORD.nameLength] = length;
    own[header + MMSGHDR_WORD.iovecs] = (this.#low + this.#iovecs + this.used * IOVEC_SIZE) | 0;
    own[header + MMSGHDR_WORD.iovecCount] = 0;
    own[header + MMSGHDR_WORD.controlLength] = 0;
  }

  /** Begins a message for a raw socket that is given whole IP packets: such want no port in the address. */
  beginRaw(words: Int32Array, at: number): void {
    this.begin(words, at);
    this.#words[(this.#names + (this.count - 1) * SOCKADDR_SIZE) >> 2] &= 0xffff;
  }

  /** Adds `length` bytes at an address, given by its halves, to the message. */
  add(low: number, high: number, length: number): void {
    const iovec = (this.#iovecs + this.used++ * IOVEC_SIZE) >> 2;
    this.#words[iovec] = low;
    this.#words[iovec + 1] = high;
    this.#words[iovec + 2] = length;
    this.#words[(((this.count - 1) * MMSGHDR_SIZE) >> 2) + MMSGHDR_WORD.iovecCount]++;
  }

  /**
   * Makes the message an IP packet's payload that begins with a UDP header, for a raw socket; it must be the
   * first piece. `ports`: the source port in the lower half, the destination port in the upper, both in
   * network order. `length`: of the data, in bytes; `checksum` as it stands in the header, in the machine's
   * byte order, 0 for none.
   */
  addUdpHeader(ports: number, length: number, checksum: number): void {
    const k = this.count - 1;
    const udp = this.#udp + k * UDP_HEADER_SIZE;
    const total = length + UDP_HEADER_SIZE;
    this.#words[udp >> 2] = ports;
    this.#words[(udp >> 2) + 1] = (total >> 8) | ((total & 0xff) << 8) | (checksum << 16);
    // The destination's port is in the header: raw sockets want none in the address.
    this.#words[(this.#names + k * SOCKADDR_SIZE) >> 2] &= 0xffff;
    this.add((this.#low + udp) | 0, this.#high, UDP_HEADER_SIZE);
  }

  /** The kernel is to cut the message into datagrams of `size` bytes (the last may be shorter). */
  cutInto(size: number): void {
    this.#words[this.#addControl(SOL_UDP, UDP_SEGMENT, 2)] = size;
  }

  /** Its TOS or traffic class. `ipv4` as for {@linkcode sendFrom}. */
  setTos(tos: number, ipv4: boolean): void {
    this.#words[this.#addControl(ipv4 ? SOL_IP : SOL_IPV6, ipv4 ? IP_TOS : IPV6_TCLASS, 4)] = tos;
  }

  /** Its TTL or hop limit. */
  setTtl(ttl: number, ipv4: boolean): void {
    this.#words[this.#addControl(ipv4 ? SOL_IP : SOL_IPV6, ipv4 ? IP_TTL : IPV6_HOPLIMIT, 4)] = ttl;
  }

  /** Sends it from the address of the struct sockaddr at `at` in `words`. */
  sendFrom(words: Int32Array, at: number): void {
    const own = this.#words;
    if ((words[at] & 0xffff) === AF_INET) {
      const data = this.#addControl(SOL_IP, IP_PKTINFO, IN_PKTINFO_SIZE);
      own[data] = own[data + 1] = own[data + 2] = 0;
      own[data + IN_PKTINFO_SOURCE] = words[at + 1];
    } else {
      const data = this.#addControl(SOL_IPV6, IPV6_PKTINFO, IN6_PKTINFO_SIZE); // the source comes first
      for (let word = 0; word < 4; word++) own[data + word] = words[at + 2 + word];
      own[data + 4] = 0;
    }
  }

  /**
   * sendmmsg(2) of the messages from `first` on, never blocking. How many were sent, or the -errno of the
   * first of them.
   */
  send(fd: number, first: number): number {
    return result(
      libc.sendmmsg(fd, this.#headers[first], this.count - first, MSG_DONTWAIT | MSG_NOSIGNAL),
    );
  }

  /** Room for `length` bytes of a control message of the current message; where it begins, as a word. */
  #addControl(level: number, type: number, length: number): number {
    const k = this.count - 1;
    const own = this.#words;
    const used = ((k * MMSGHDR_SIZE) >> 2) + MMSGHDR_WORD.controlLength;
    const at = ((this.#control + k * CONTROL_SIZE) + own[used]) >> 2;
    own[at + CMSGHDR_WORD.length] = CMSGHDR_SIZE + length;
    own[at + CMSGHDR_WORD.length + 1] = 0;
    own[at + CMSGHDR_WORD.level] = level;
    own[at + CMSGHDR_WORD.type] = type;
    own[used] += CMSGHDR_SIZE + ((length + 7) & ~7);
    return at + (CMSGHDR_SIZE >> 2);
  }
}
