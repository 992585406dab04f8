/**
 * TCP and UDP packets in Ethernet frames: written with any address, and read. Pure.
 * @module
 */
import type { IpAddress } from "../../../src/net/ip.ts";

/** Fields of a packet that a test sets. */
export interface PacketOptions {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** A SYN, an ACK without a connection, or a datagram. */
  readonly kind: "syn" | "ack" | "udp";
  /** Data of a datagram; none. */
  readonly payload?: Uint8Array;
  /** The flags of TCP, where the kind has others. */
  readonly flags?: number;
  /** Its sequence number, and that of what it acknowledges; 1 and 0. */
  readonly sequence?: number;
  readonly acknowledges?: number;
  /** Hardware addresses, 6 bytes each. */
  readonly sourceMac: Uint8Array;
  readonly destinationMac: Uint8Array;
}

/** Fields of a packet that a test reads. */
export interface SeenPacket {
  readonly kind: "syn" | "syn-ack" | "rst" | "other-tcp" | "udp" | "unreachable";
  /** Of the packet itself; for `unreachable` of the packet that it complains about. */
  readonly sourcePort: number;
  readonly destinationPort: number;
}

const ETHERNET_HEADER = 14;
const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;
const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

/** The frame, with all checksums. */
export function buildFrame(packet: PacketOptions): Uint8Array<ArrayBuffer> {
  const ipv4 = packet.source.family === "ipv4";
  const protocol = packet.kind === "udp" ? UDP : TCP;
  const transport = buildTransport(packet, protocol);
  const header = ipv4
    ? buildIpv4(packet, protocol, transport.length)
    : buildIpv6(packet, protocol, transport.length);
  const type = ipv4 ? [0x08, 0x00] : [0x86, 0xdd];
  return Uint8Array.from([...packet.destinationMac, ...packet.sourceMac, ...type, ...header, ...transport]);
}

function buildTransport(packet: PacketOptions, protocol: number): Uint8Array {
  const { payload = new Uint8Array() } = packet;
  const bytes = protocol === UDP ? Uint8Array.from([...new Uint8Array(8), ...payload]) : new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, packet.sourcePort);
  view.setUint16(2, packet.destinationPort);
  if (protocol === UDP) view.setUint16(4, bytes.length);
  else {
    view.setUint32(4, packet.sequence ?? 1);
    view.setUint32(8, packet.acknowledges ?? 0);
    view.setUint8(12, 5 << 4);
    view.setUint8(13, packet.flags ?? (packet.kind === "syn" ? SYN : ACK));
    view.setUint16(14, 65535);
  }
  const pseudo = [
    ...packet.source.bytes,
    ...packet.destination.bytes,
    0,
    protocol,
    bytes.length >> 8,
    bytes.length & 255,
  ];
  view.setUint16(protocol === UDP ? 6 : 16, checksum([...pseudo, ...bytes]) || 0xffff);
  return bytes;
}

function buildIpv4(packet: PacketOptions, protocol: number, length: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x4500);
  view.setUint16(2, bytes.length + length);
  view.setUint8(8, 64);
  view.setUint8(9, protocol);
  bytes.set(packet.source.bytes, 12);
  bytes.set(packet.destination.bytes, 16);
  view.setUint16(10, checksum([...bytes]));
  return bytes;
}

function buildIpv6(packet: PacketOptions, protocol: number, length: number): Uint8Array {
  const bytes = new Uint8Array(40);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x60);
  view.setUint16(4, length);
  view.setUint8(6, protocol);
  view.setUint8(7, 64);
  bytes.set(packet.source.bytes, 8);
  bytes.set(packet.destination.bytes, 24);
  return bytes;
}

/** The Internet checksum, RFC 1071. */
function checksum(bytes: readonly number[]): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) sum += (bytes[index] << 8) + (bytes[index + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/**
 * Reads a frame; undefined where it is none of these. Extension headers and IP options are not among them.
 */
export function readFrame(frame: Uint8Array): SeenPacket | undefined {
  return readIp(frame.subarray(ETHERNET_HEADER));
}

function readIp(packet: Uint8Array): SeenPacket | undefined {
  const version = packet[0] >> 4;
  if (version === 4) return readTransport(packet[9], packet.subarray((packet[0] & 15) * 4));
  if (version === 6) return readTransport(packet[6], packet.subarray(40));
  return undefined;
}

function readTransport(protocol: number, bytes: Uint8Array): SeenPacket | undefined {
  const isUnreachable = (protocol === ICMP && bytes[0] === 3 && bytes[1] === 3) ||
    (protocol === ICMPV6 && bytes[0] === 1 && bytes[1] === 4);
  if (isUnreachable) {
    const inner = readIp(bytes.subarray(8));
    return inner && { ...inner, kind: "unreachable" };
  }
  const ports = {
    sourcePort: (bytes[0] << 8) | bytes[1],
    destinationPort: (bytes[2] << 8) | bytes[3],
  };
  if (protocol === UDP) return { kind: "udp", ...ports };
  if (protocol !== TCP) return undefined;
  // An ICMP error holds the first 8 bytes alone in old kernels.
  return { kind: tcpKind(bytes[13] ?? SYN), ...ports };
}

function tcpKind(flags: number): SeenPacket["kind"] {
  if ((flags & RST) !== 0) return "rst";
  if ((flags & (SYN | ACK | FIN)) === SYN) return "syn";
  return (flags & SYN) === 0 ? "other-tcp" : "syn-ack";
}
