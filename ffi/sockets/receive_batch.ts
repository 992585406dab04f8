/**
 * recvmmsg(2): many datagrams with one call, each with its sender and what the kernel says of it.
 * @module
 */
import {
  IP_RECVERR,
  IP_RECVFRAGSIZE,
  IP_RECVORIGDSTADDR,
  IP_TOS,
  IPV6_HOPLIMIT,
  IPV6_RECVERR,
  IPV6_RECVFRAGSIZE,
  IPV6_RECVORIGDSTADDR,
  IPV6_TCLASS,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  SOL_IP,
  SOL_IPV6,
  SOL_UDP,
  UDP_GRO,
} from "../consts.ts";
import { result } from "../errno.ts";
import {
  CMSGHDR_SIZE,
  CMSGHDR_WORD,
  IOVEC_SIZE,
  MMSGHDR_SIZE,
  MMSGHDR_WORD,
  SOCK_EXTENDED_ERR,
  SOCKADDR_SIZE,
} from "../layout.ts";
import { libc } from "../libc.ts";
import { PinnedMemory } from "../memory.ts";

/** The longest datagram, or the longest train of datagrams that UDP_GRO makes one. */
const DATA_SIZE = 65536;
/**
 * Not a power of two apart: else the first bytes of all datagrams would share a few lines of the processor's
 * caches.
 */
const DATA_GAP = 1088;
const CONTROL_SIZE = 160;

/** Room for `capacity` datagrams. */
export class ReceiveBatch {
  readonly capacity: number;
  /** The memory as 32-bit words: {@linkcode name} and {@linkcode destination} are places in it. */
  readonly words: Int32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The upper half of every address in it, see {@linkcode dataLow}. */
  readonly high: number;

  /**
   * Of the datagram given to {@linkcode inspect}: where its original destination stands in {@linkcode words},
   * -1: not told.
   */
  destination = -1;
  /** Its TOS or traffic class, 0 to 255. */
  tos = 0;
  /**
   * The length of its parts where the kernel has joined several datagrams (all but the last are of this
   * length), else 0.
   */
  segmentSize = 0;
  /** The datagram came in fragments. */
  wasFragmented = false;
  /** The hop limit with which it came, of IPv6; else 0. */
  hopLimit = 0;
  /**
   * Of an error: SO_EE_ORIGIN_*, and the type and code of the ICMP message; the origin is 0 if it is none.
   */
  errorOrigin = 0;
  errorType = 0;
  errorCode = 0;
  /** Of an error about its size: the MTU of the path. */
  errorMtu = 0;

  readonly #memory: PinnedMemory;
  readonly #low: number;
  readonly #names: number;
  readonly #control: number;
  readonly #data: number;
  readonly #stride: number;
  readonly #headers: bigint[];

  /** `dataSize`: bytes that a datagram may have, a multiple of 64; what is longer is cut. */
  constructor(capacity: number, dataSize = DATA_SIZE) {
    this.capacity = capacity;
    this.#stride = dataSize + DATA_GAP;
    const iovecs = capacity * MMSGHDR_SIZE;
    this.#names = iovecs + capacity * IOVEC_SIZE;
    this.#control = this.#names + capacity * SOCKADDR_SIZE;
    this.#data = this.#control + capacity * CONTROL_SIZE;
    this.#memory = new PinnedMemory(this.#data + capacity * this.#stride);
    this.words = this.#memory.words;
    this.bytes = this.#memory.bytes;
    this.#low = this.#memory.low;
    this.high = this.#memory.high;
    const { words } = this;
    const point = (at: number, to: number) => {
      words[at] = (this.#low + to) | 0;
      words[at + 1] = this.high;
    };
    this.#headers = Array.from({ length: capacity }, (_, i) => this.#memory.address(i * MMSGHDR_SIZE));
    for (let i = 0; i < capacity; i++) {
      const header = (i * MMSGHDR_SIZE) >> 2;
      const iovec = (iovecs + i * IOVEC_SIZE) >> 2;
      point(header + MMSGHDR_WORD.name, this.#names + i * SOCKADDR_SIZE);
      point(header + MMSGHDR_WORD.iovecs, iovec << 2);
      words[header + MMSGHDR_WORD.iovecCount] = 1;
      point(header + MMSGHDR_WORD.control, this.#control + i * CONTROL_SIZE);
      point(iovec, this.#data + i * this.#stride);
      words[iovec + 2] = dataSize;
    }
  }

  /**
   * recvmmsg(2) into the places from `first` on, never blocking. The number of datagrams, or -errno (-EAGAIN:
   * there are none).
   */
  receive(fd: number, first: number): number {
    return this.#receive(fd, first, MSG_DONTWAIT);
  }

  /**
   * The same of a socket's error queue (IP_RECVERR, IPV6_RECVERR): datagrams that it has sent and that came
   * to nothing. Their names are those to whom they were sent.
   */
  receiveErrors(fd: number, first: number): number {
    return this.#receive(fd, first, MSG_DONTWAIT | MSG_ERRQUEUE);
  }

  #receive(fd: number, first: number, flags: number): number {
    const { words, capacity } = this;
    for (let i = first; i < capacity; i++) {
      const header = (i * MMSGHDR_SIZE) >> 2;
      // The kernel writes both; those that it has not touched since the last time are as they were.
      if (words[header + MMSGHDR_WORD.nameLength] === SOCKADDR_SIZE) break;
      words[header + MMSGHDR_WORD.nameLength] = SOCKADDR_SIZE;
      words[header + MMSGHDR_WORD.controlLength] = CONTROL_SIZE;
    }
    return result(libc.recvmmsg(fd, this.#headers[first], capacity - first, flags, null));
  }

  /** The length of the i-th datagram, in bytes. */
  length(i: number): number {
    return this.words[((i * MMSGHDR_SIZE) >> 2) + MMSGHDR_WORD.length];
  }

  /** Returns the place of the i-th datagram's sender in {@linkcode words}, as a struct sockaddr. */
  name(i: number): number {
    return (this.#names + i * SOCKADDR_SIZE) >> 2;
  }

  /** The lower half of the address of the i-th datagram's first byte. */
  dataLow(i: number): number {
    return (this.#low + this.#data + i * this.#stride) | 0;
  }

  /** Returns the place at which the i-th datagram begins in {@linkcode bytes}. */
  dataOffset(i: number): number {
    return this.#data + i * this.#stride;
  }

  /**
   * Puts a datagram into the i-th place, as if it had come now: `words` hold the sender and the destination,
   * as struct sockaddr one behind the other. Returns the place of the destination.
   */
  put(i: number, words: Int32Array, data: Uint8Array): number {
    const own = this.words;
    const size = SOCKADDR_SIZE >> 2;
    const name = this.name(i);
    const destination = (this.#control + i * CONTROL_SIZE + CMSGHDR_SIZE) >> 2;
    for (let word = 0; word < size; word++) {
      own[name + word] = words[word];
      own[destination + word] = words[size + word];
    }
    own[((i * MMSGHDR_SIZE) >> 2) + MMSGHDR_WORD.length] = data.length;
    this.bytes.set(data, this.dataOffset(i));
    return destination;
  }

  /** Reads what the kernel says of the i-th datagram into the fields above. */
  inspect(i: number): void {
    const { words } = this;
    this.destination = -1;
    this.wasFragmented = false;
    this.tos =
      this.hopLimit =
      this.segmentSize =
      this.errorOrigin =
      this.errorMtu =
        0;
    let at = (this.#control + i * CONTROL_SIZE) >> 2;
    const end = at + (words[((i * MMSGHDR_SIZE) >> 2) + MMSGHDR_WORD.controlLength] >> 2);
    while (at + (CMSGHDR_SIZE >> 2) < end) {
      const length = words[at + CMSGHDR_WORD.length];
      // The kernel writes none such; nothing could be found behind it.
      if (length < CMSGHDR_SIZE || length > CONTROL_SIZE) return;
      const data = at + (CMSGHDR_SIZE >> 2);
      const level = words[at + CMSGHDR_WORD.level];
      const type = words[at + CMSGHDR_WORD.type];
      if (level === SOL_IP) {
        if (type === IP_RECVORIGDSTADDR) this.destination = data;
        else if (type === IP_TOS) this.tos = words[data] & 0xff; // one byte
        else if (type === IP_RECVERR) this.#readError(data);
        else if (type === IP_RECVFRAGSIZE) this.wasFragmented = true;
      } else if (level === SOL_IPV6) {
        if (type === IPV6_RECVORIGDSTADDR) this.destination = data;
        else if (type === IPV6_TCLASS) this.tos = words[data] & 0xff;
        else if (type === IPV6_HOPLIMIT) this.hopLimit = words[data];
        else if (type === IPV6_RECVERR) this.#readError(data);
        else if (type === IPV6_RECVFRAGSIZE) this.wasFragmented = true;
      } else if (level === SOL_UDP && type === UDP_GRO) {
        this.segmentSize = words[data];
      }
      at += ((length + 7) & ~7) >> 2;
    }
  }

  /** Reads a struct sock_extended_err. */
  #readError(at: number): void {
    const { bytes } = this;
    this.errorOrigin = bytes[(at << 2) + SOCK_EXTENDED_ERR.origin];
    this.errorType = bytes[(at << 2) + SOCK_EXTENDED_ERR.type];
    this.errorCode = bytes[(at << 2) + SOCK_EXTENDED_ERR.code];
    this.errorMtu = this.words[at + (SOCK_EXTENDED_ERR.info >> 2)];
  }
}
