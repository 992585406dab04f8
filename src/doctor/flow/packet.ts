/**
 * The first packet of one flow, on its way through the router. Pure.
 * @module
 */
import type { Protocol } from "../../config/types.ts";
import type { Endpoint, IpAddress } from "../../net/ip.ts";
import { CT_STATE } from "../../netlink/nft/expr/ct.ts";
import { TCP_FLAGS } from "../../netlink/nft/phrases.ts";
import type { KnownPacket, PacketLink } from "../packet/known_packet.ts";
import { TRANSLATED } from "../packet/known_packet.ts";
import type { PartialBytes } from "../packet/partial.ts";
import type { Translation } from "../packet/translation.ts";
import { LITTLE_ENDIAN } from "../../netlink/attribute.ts";

/** A flow that is asked about. */
export interface FlowQuestion {
  readonly protocol: Protocol;
  readonly client: IpAddress;
  /** Absent: any. */
  readonly clientPort?: number;
  readonly server: Endpoint;
  /** The interface that it comes in by. */
  readonly input?: PacketLink;
  /** The client's hardware address. */
  readonly hardware?: Uint8Array;
}

/** The packet at one place of its way. Its source and destination are whole addresses. */
export type FlowPacket = { -readonly [Key in keyof KnownPacket]: KnownPacket[Key] };

/** Makes the packet as it comes in; `destinationType`: RTN_*, what its destination is to the router. */
export function firstPacket(question: FlowQuestion, destinationType: number): FlowPacket {
  const { protocol, client, clientPort, server, input, hardware } = question;
  return {
    family: client.family,
    protocol,
    mark: 0,
    ctState: CT_STATE.new,
    ...(protocol === "tcp" ? { tcpFlags: TCP_FLAGS.syn } : {}),
    source: hostNetwork(client),
    destination: hostNetwork(server.address),
    destinationPort: server.port,
    destinationType,
    ...(clientPort === undefined ? {} : { sourcePort: clientPort }),
    ...(input === undefined ? {} : { input }),
    ...(hardware === undefined ? {} : { hardware }),
  };
}

function hostNetwork({ bytes }: IpAddress): NonNullable<KnownPacket["source"]> {
  return { bytes, length: bytes.length * 8 };
}

/** The address at one end of the packet. */
export function addressAt(packet: FlowPacket, end: Translation["end"]): IpAddress {
  return { family: packet.family, bytes: packet[end]!.bytes };
}

/** The mark that a rule gives; what is not known of it is 0. */
export function markOf({ bytes }: PartialBytes): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, LITTLE_ENDIAN);
}

/** Gives the packet the mark of a rule; false where it is not known. */
export function applyMark(packet: FlowPacket, mark: PartialBytes): boolean {
  packet.mark = markOf(mark);
  return mark.known.every((byte) => byte === 0xff);
}

/** Translates the packet; `own`: the router's address there, for masquerade and redirect. */
export function translate(packet: FlowPacket, to: Translation, own: IpAddress | undefined): boolean {
  const { end, how, address = how === "given" ? undefined : own, port, unread } = to;
  packet.translated = (packet.translated ?? 0) | TRANSLATED[end];
  if (address !== undefined) packet[end] = hostNetwork(address);
  if (port !== undefined) packet[end === "source" ? "sourcePort" : "destinationPort"] = port;
  return unread !== true && (how === "given" || address !== undefined);
}
