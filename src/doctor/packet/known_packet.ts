/**
 * A packet of which only some things are known. Pure.
 * @module
 */
import { FAMILY_NUMBERS } from "../../net/families.ts";
import type { Family } from "../../net/ip.ts";
import type { FibExpression } from "../../netlink/nft/expr/fib.ts";
import type { PayloadExpression } from "../../netlink/nft/expr/payload.ts";
import { ADDRESS_PLACES, protocolKey } from "../../netlink/nft/phrases.ts";
import { hostKey, hostKey16, ifnameKey, portKey } from "../../netlink/nft/sets/set_type.ts";
import { inNetwork, type PartialBytes, whole } from "./partial.ts";

/** An interface, by both its names. */
export interface PacketLink {
  readonly name: string;
  readonly index: number;
}

/** The place of the sender in an Ethernet header, and its length. */
const HARDWARE_SOURCE = 6;
const ETHERNET_ADDRESS = 6;
/** linux/if_arp.h */
const ARPHRD_ETHER = 1;

/** The place of a fragment's offset in IPv4's header, behind three flags. */
export const FRAGMENT_OFFSET = { offset: 6, mask: Uint8Array.of(0x1f, 0xff) } as const;

/** A network that an address is of. */
export interface PacketNetwork {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** The known parts of a packet. */
export interface KnownPacket {
  readonly family: Family;
  readonly protocol: "tcp" | "udp";
  /** The interface that it came in by; absent: the router has made it. */
  readonly input?: PacketLink;
  /** The interface that it leaves by; absent: it is delivered, or that is not decided yet. */
  readonly output?: PacketLink;
  /** The fwmark. */
  readonly mark: number;
  /** One of CT_STATE. */
  readonly ctState: number;
  /** Its TCP flags, if they are known. */
  readonly tcpFlags?: number;
  /** Its ports, as far as they are known. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** The network of its sender, if that is known. */
  readonly source?: PacketNetwork;
  /** The network of its destination, if that is known. */
  readonly destination?: PacketNetwork;
  /** The sender's hardware address, if that is known. */
  readonly hardware?: Uint8Array;
  /** The answer of the routing tables for its destination, RTN_*; absent: a foreign host. */
  readonly destinationType?: number;
  /** Unset by `false` where no socket of this machine is its own; absent: not known. */
  readonly hasSocket?: boolean;
  /** Changes of NAT to its flow so far: bits of conntrack's status. Absent: none. */
  readonly translated?: number;
}

/** Bits of conntrack's status, linux/netfilter/nf_conntrack_common.h: IPS_SRC_NAT, IPS_DST_NAT */
export const TRANSLATED = { source: 1 << 4, destination: 1 << 5 } as const;

/**
 * Returns the value that `meta` loads, in the byte order of the kernel; undefined where that is not known,
 * `absent` where the packet has none: the rule ends.
 */
export function readMeta(key: string, packet: KnownPacket): PartialBytes | "absent" | undefined {
  switch (key) {
    case "iifname":
      return packet.input === undefined ? "absent" : whole(ifnameKey(packet.input.name));
    case "iif":
      return packet.input === undefined ? "absent" : whole(hostKey(packet.input.index));
    case "oifname":
      return packet.output === undefined ? "absent" : whole(ifnameKey(packet.output.name));
    case "oif":
      return packet.output === undefined ? "absent" : whole(hostKey(packet.output.index));
    case "mark":
      return whole(hostKey(packet.mark));
    case "nfproto":
      return whole(Uint8Array.of(FAMILY_NUMBERS[packet.family]));
    case "protocol":
      return whole(packet.family === "ipv4" ? Uint8Array.of(0x08, 0x00) : Uint8Array.of(0x86, 0xdd));
    case "l4proto":
      return whole(protocolKey(packet.protocol));
    case "iiftype":
      return packet.hardware?.length === ETHERNET_ADDRESS ? whole(hostKey16(ARPHRD_ETHER)) : undefined;
    case "pkttype":
      return whole(Uint8Array.of(0)); // PACKET_HOST
    default:
      return undefined;
  }
}

/** Returns what conntrack says of its flow: nobody else has translated it, as far as is known. */
export function readConntrack(
  key: string,
  { ctState, translated = 0 }: KnownPacket,
): PartialBytes | undefined {
  if (key === "state") return whole(hostKey(ctState));
  if (key !== "status") return undefined;
  return { bytes: hostKey(translated), known: hostKey(TRANSLATED.source | TRANSLATED.destination) };
}

/** linux/rtnetlink.h */
export const RTN_UNICAST = 1;

/** Returns the answer of the routing tables; undefined where that is not known. */
export function readFib(
  { flags, result, present }: FibExpression,
  { input, destinationType = RTN_UNICAST }: KnownPacket,
): PartialBytes | undefined {
  if (result === "type") {
    // What a proxy gets, and what a router forwards, goes to a foreign address.
    return flags.join() === "daddr" ? whole(hostKey(destinationType)) : undefined;
  }
  // The check of the reverse path: clients come in where the way to them leads out; the loopback passes it.
  if (!flags.includes("saddr") || input === undefined) return undefined;
  if (present === true) return whole(hostKey(1));
  return whole(result === "oif" ? hostKey(input.index) : ifnameKey(input.name));
}

/** Reads the packet's bytes: the protocol, and what else is known. */
export function readPayload(
  { base, offset, length }: PayloadExpression,
  packet: KnownPacket,
): PartialBytes | undefined {
  const { sourcePort, destinationPort, family, source, destination, hardware } = packet;
  if (base === "transport") {
    if (length === 2 && offset === 0 && sourcePort !== undefined) return whole(portKey(sourcePort));
    if (length === 2 && offset === 2 && destinationPort !== undefined) return whole(portKey(destinationPort));
    const isFlags = offset === 13 && length === 1 && packet.protocol === "tcp";
    return isFlags && packet.tcpFlags !== undefined ? whole(Uint8Array.of(packet.tcpFlags)) : undefined;
  }
  if (base === "link") {
    return hardware !== undefined && offset === HARDWARE_SOURCE && length === hardware.length
      ? whole(hardware)
      : undefined;
  }
  if (base !== "network") return undefined;
  if (length === 1 && offset === (family === "ipv4" ? 9 : 6)) {
    return whole(protocolKey(packet.protocol));
  }
  if (family === "ipv4" && offset === FRAGMENT_OFFSET.offset && length === 2) {
    // No packet of a flow is a later fragment: conntrack has put them together.
    return { bytes: new Uint8Array(length), known: FRAGMENT_OFFSET.mask };
  }
  const places = ADDRESS_PLACES[family];
  // A network's rule may load no more than the bytes that the network has.
  for (const [network, place] of [[source, places.source], [destination, places.destination]] as const) {
    if (network === undefined || offset !== place.offset || length > place.length) continue;
    const { bytes, known } = inNetwork(network.bytes, network.length);
    return { bytes: bytes.slice(0, length), known: known.slice(0, length) };
  }
  return undefined;
}
