/**
 * Tells clients by ICMP (RFC 792, RFC 4443) what became of their datagrams: what the router would tell
 * without a proxy, and what the router was told in their stead.
 * @module
 */
import { AF_INET, AF_INET6, EACCES, EHOSTUNREACH, ENETUNREACH, IPPROTO_UDP } from "../../../ffi/consts.ts";
import { makeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { sendTo } from "../../../ffi/sockets/socket.ts";
import type { Clock } from "../loop/clock.ts";
import type { RawSockets } from "../orders.ts";

const ICMP_HEADER_SIZE = 8;
const MTU_AT = 4;
const UDP_HEADER_SIZE = 8;
const IPV4_HEADER_SIZE = 20;
const IPV6_HEADER_SIZE = 40;
/** A tick is a tenth of a second. */
const MESSAGES_PER_TICK = 10;

/** The type "destination unreachable", and its code for each errno; other errors are not told. */
const UNREACHABLE = {
  ipv4: { type: 3, codes: new Map([[ENETUNREACH, 0], [EHOSTUNREACH, 1], [EACCES, 13]]) },
  ipv6: { type: 1, codes: new Map([[ENETUNREACH, 0], [EHOSTUNREACH, 3], [EACCES, 1]]) },
} as const;

/** "Fragmentation needed", and "packet too big". */
const TOO_LARGE = { ipv4: { type: 3, code: 4 }, ipv6: { type: 2, code: 0 } } as const;
const PORT_UNREACHABLE = { ipv4: { type: 3, code: 3 }, ipv6: { type: 1, code: 4 } } as const;

/**
 * A datagram that came to nothing: both struct sockaddr as 32-bit words, and the length of its data in bytes.
 */
export interface Undeliverable {
  readonly words: Int32Array;
  readonly client: number;
  readonly destination: number;
  readonly length: number;
}

/** Type and code of an ICMP or ICMPv6 message. */
export interface IcmpKind {
  readonly type: number;
  readonly code: number;
  /** The MTU that it tells of; nothing: none. */
  readonly mtu?: number;
}

function isIpv4(datagram: Undeliverable): boolean {
  return (datagram.words[datagram.client] & 0xffff) === AF_INET;
}

/** Returns a router's answer to a datagram that it fails to send with `errno`; null: none. Pure. */
export function kindOfErrno(errno: number, datagram: Undeliverable): IcmpKind | null {
  const { type, codes } = isIpv4(datagram) ? UNREACHABLE.ipv4 : UNREACHABLE.ipv6;
  const code = codes.get(errno);
  return code === undefined ? null : { type, code };
}

/** Returns a firewall's answer to a datagram that it rejects (`icmpx port-unreachable`). Pure. */
export function portUnreachable(datagram: Undeliverable): IcmpKind {
  return isIpv4(datagram) ? PORT_UNREACHABLE.ipv4 : PORT_UNREACHABLE.ipv6;
}

/** Returns a router's answer to a datagram that does not fit into the path and may not be cut. Pure. */
export function tooLarge(mtu: number, datagram: Undeliverable): IcmpKind {
  return { ...(isIpv4(datagram) ? TOO_LARGE.ipv4 : TOO_LARGE.ipv6), mtu };
}

/** The ICMP message about a datagram. Of IPv6 the kernel fills in the checksum. Pure. */
export function icmpMessage(
  { type, code, mtu = 0 }: IcmpKind,
  datagram: Undeliverable,
): Uint8Array<ArrayBuffer> {
  const ipv4 = isIpv4(datagram);
  const header = ipv4 ? IPV4_HEADER_SIZE : IPV6_HEADER_SIZE;
  const message = new Uint8Array(ICMP_HEADER_SIZE + header + UDP_HEADER_SIZE);
  message[0] = type;
  message[1] = code;
  writeNumber(message, MTU_AT, mtu);
  const ip = message.subarray(ICMP_HEADER_SIZE);
  if (ipv4) writeIpv4(ip, datagram);
  else writeIpv6(ip, datagram);
  writeUdp(ip.subarray(header), datagram);
  if (ipv4) writeChecksum(message, 2);
  return message;
}

function addressOf({ words }: Undeliverable, at: number): Uint8Array {
  const bytes = new Uint8Array(words.buffer, words.byteOffset + at * 4, 28);
  return (words[at] & 0xffff) === AF_INET ? bytes.subarray(4, 8) : bytes.subarray(8, 24);
}

function writeIpv4(ip: Uint8Array, datagram: Undeliverable): void {
  const total = IPV4_HEADER_SIZE + UDP_HEADER_SIZE + datagram.length;
  ip.set([0x45, 0, total >> 8, total & 0xff, 0, 0, 0, 0, 1, IPPROTO_UDP]);
  ip.set(addressOf(datagram, datagram.client), 12);
  ip.set(addressOf(datagram, datagram.destination), 16);
  writeChecksum(ip.subarray(0, IPV4_HEADER_SIZE), 10);
}

function writeIpv6(ip: Uint8Array, datagram: Undeliverable): void {
  const length = UDP_HEADER_SIZE + datagram.length;
  ip.set([0x60, 0, 0, 0, length >> 8, length & 0xff, IPPROTO_UDP, 1]);
  ip.set(addressOf(datagram, datagram.client), 8);
  ip.set(addressOf(datagram, datagram.destination), 24);
}

function writeUdp(udp: Uint8Array, { words, client, destination, length }: Undeliverable): void {
  const ports = new Int32Array([(words[client] >>> 16) | (words[destination] & 0xffff0000)]);
  udp.set(new Uint8Array(ports.buffer));
  udp[4] = (length + UDP_HEADER_SIZE) >> 8;
  udp[5] = (length + UDP_HEADER_SIZE) & 0xff;
}

function writeNumber(bytes: Uint8Array, at: number, number: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = (number >>> (24 - 8 * i)) & 0xff;
}

function writeChecksum(bytes: Uint8Array, at: number): void {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  bytes[at] = (~sum >> 8) & 0xff;
  bytes[at + 1] = ~sum & 0xff;
}

/** Tells clients, at a bounded rate. */
export class Unreachable {
  readonly #clock: Clock;
  readonly #senders: RawSockets;
  readonly #to = makeSockaddr();
  readonly #toWords = new Int32Array(this.#to.buffer);
  #tick = 0;
  #told = 0;

  /** `senders`: raw sockets of ICMP and ICMPv6. */
  constructor(clock: Clock, senders: RawSockets) {
    this.#clock = clock;
    this.#senders = senders;
  }

  /** Tells the client of a datagram that sending it has failed with `errno`, if a router would. */
  tellErrno(errno: number, datagram: Undeliverable): void {
    const kind = kindOfErrno(errno, datagram);
    if (kind !== null) this.tell(kind, datagram);
  }

  /** Tells whether another client may be told now. */
  get mayTell(): boolean {
    return this.#tick !== this.#clock.tick || this.#told < MESSAGES_PER_TICK;
  }

  /** Tells the client of a datagram what became of it. */
  tell(kind: IcmpKind, datagram: Undeliverable): void {
    if (!this.mayTell) return;
    if (this.#tick !== this.#clock.tick) {
      this.#tick = this.#clock.tick;
      this.#told = 0;
    }
    this.#told++;
    const message = icmpMessage(kind, datagram);
    const { words, client } = datagram;
    const ipv6 = (words[client] & 0xffff) === AF_INET6;
    this.#toWords.set(words.subarray(client, client + (ipv6 ? 7 : 4)));
    this.#toWords[0] &= 0xffff; // raw sockets want no port
    sendTo(ipv6 ? this.#senders.ipv6 : this.#senders.ipv4, message, this.#to);
  }
}
