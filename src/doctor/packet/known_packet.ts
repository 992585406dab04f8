/**
 * A packet of which only some things are known. Pure.
 * @module
 */
import { FAMILY_NUMBERS } from "../../net/families.ts";
import type { Family } from "../../net/ip.ts";
import type { PayloadExpression } from "../../netlink/nft/expr/payload.ts";
import { hostKey, ifnameKey, portKey } from "../../netlink/nft/sets/set_type.ts";

/** The known parts of a packet; its addresses are none of them. */
export interface KnownPacket {
  readonly family: Family;
  readonly protocol: "tcp" | "udp";
  readonly iifname: string;
  readonly iif: number;
  /** The fwmark. */
  readonly mark: number;
  /** One of CT_STATE. */
  readonly ctState: number;
  /** Its TCP flags, if they are known. */
  readonly tcpFlags?: number;
  /** Its destination port, if it is known. */
  readonly destinationPort?: number;
}

const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const;

/**
 * Returns the value that `meta` loads, in the byte order of the kernel; undefined where that is not known.
 */
export function readMeta(key: string, packet: KnownPacket): Uint8Array | undefined {
  switch (key) {
    case "iifname":
      return ifnameKey(packet.iifname);
    case "iif":
      return hostKey(packet.iif);
    case "mark":
      return hostKey(packet.mark);
    case "nfproto":
      return Uint8Array.of(FAMILY_NUMBERS[packet.family]);
    case "protocol":
      return packet.family === "ipv4" ? Uint8Array.of(0x08, 0x00) : Uint8Array.of(0x86, 0xdd);
    case "l4proto":
      return Uint8Array.of(PROTOCOL_NUMBERS[packet.protocol]);
    case "pkttype":
      return Uint8Array.of(0); // PACKET_HOST
    default:
      return undefined;
  }
}

/** Of the packet's bytes the protocol is known, and perhaps the destination port and the flags of TCP. */
export function readPayload(
  { base, offset, length }: PayloadExpression,
  packet: KnownPacket,
): Uint8Array | undefined {
  if (base === "transport" && offset === 2 && length === 2 && packet.destinationPort !== undefined) {
    return portKey(packet.destinationPort);
  }
  if (length !== 1) return undefined;
  if (base === "network" && offset === (packet.family === "ipv4" ? 9 : 6)) {
    return Uint8Array.of(PROTOCOL_NUMBERS[packet.protocol]);
  }
  const isFlags = base === "transport" && offset === 13 && packet.protocol === "tcp";
  return isFlags && packet.tcpFlags !== undefined ? Uint8Array.of(packet.tcpFlags) : undefined;
}
