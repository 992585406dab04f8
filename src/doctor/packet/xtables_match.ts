/**
 * Matches of iptables (`-m NAME`), from the structures of their kernel modules, which iptables-nft and
 * iptables-legacy share. Pure.
 * @module
 */
import { LITTLE_ENDIAN } from "../../netlink/attribute.ts";
import { CT_STATE } from "../../netlink/nft/expr/ct.ts";
import { type KnownPacket, RTN_UNICAST, TRANSLATED } from "./known_packet.ts";

/** An extension as a rule has it. */
export interface XtablesPart {
  readonly name: string;
  readonly revision: number;
  /** Its structure. */
  readonly info: Uint8Array;
}

/** An answer; `limited`: the packet matches as long as a limit is not reached; `over`: only once it is. */
export type XtablesAnswer = "yes" | "no" | "unknown" | "limited" | "over";

/** Matches. A structure that is shorter than it should be is not known. */
export function matchXtables(part: XtablesPart, packet: KnownPacket): XtablesAnswer {
  try {
    return MATCHES[part.name]?.(new Info(part), packet) ?? "unknown";
  } catch (error) {
    if (error instanceof RangeError) return "unknown";
    throw error;
  }
}

/** A structure of the kernel's headers: numbers of the machine's order. */
export class Info {
  readonly revision: number;
  readonly #view: DataView;

  constructor({ info, revision }: XtablesPart) {
    this.#view = new DataView(info.buffer, info.byteOffset, info.byteLength);
    this.revision = revision;
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, LITTLE_ENDIAN);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, LITTLE_ENDIAN);
  }
}

type Match = (info: Info, packet: KnownPacket) => XtablesAnswer;

const MATCHES: Readonly<Record<string, Match>> = {
  comment: () => "yes",
  conntrack: matchConntrack,
  state: (info, packet) => decide((info.u32(0) & stateBits(packet, 1 << 6)) !== 0, false),
  mark: (info, packet) => decide((packet.mark & info.u32(4)) >>> 0 === info.u32(0), info.u8(8) !== 0),
  addrtype: matchAddressType,
  tcp: matchTcp,
  udp: (info, packet) =>
    packet.protocol === "udp"
      ? matchPorts(info, packet, (info.u8(8) & 1) !== 0, (info.u8(8) & 2) !== 0)
      : "no",
  multiport: matchMultiport,
  pkttype: (info) => decide(info.u32(0) === 0, info.u32(4) !== 0), // PACKET_HOST
  limit: () => "limited",
  hashlimit: matchHashLimit,
  // struct xt_connlimit_info: mask, limit, flags; XT_CONNLIMIT_INVERT: up to
  connlimit: (info) => (info.u32(20) & 1) !== 0 ? "limited" : "over",
  // struct xt_recent_mtinfo: seconds, hits, what to do; XT_RECENT_SET
  recent: (info) => (info.u8(8) & 2) !== 0 ? "yes" : "over",
  // struct xt_rpfilter_info: XT_RPFILTER_INVERT. A client comes in where the way to it leads out.
  rpfilter: (info) => decide(true, (info.u8(0) & 8) !== 0),
  icmp: () => "no",
  icmp6: () => "no",
  ah: () => "no",
  esp: () => "no",
  sctp: () => "no",
  dccp: () => "no",
};

function decide(matches: boolean, inverted: boolean): XtablesAnswer {
  return matches !== inverted ? "yes" : "no";
}

/** xt_conntrack.h, xt_state.h: XT_STATE_BIT; `untracked` stands elsewhere in each. */
function stateBits({ ctState }: KnownPacket, untracked: number): number {
  return ctState === CT_STATE.untracked ? untracked : ctState;
}

/** XT_CONNTRACK_STATE_SNAT, XT_CONNTRACK_STATE_DNAT */
function natBits({ translated = 0 }: KnownPacket): number {
  return ((translated & TRANSLATED.source) !== 0 ? 1 << 6 : 0) |
    ((translated & TRANSLATED.destination) !== 0 ? 1 << 7 : 0);
}

/** struct xt_conntrack_mtinfo3 (revisions 2 and 3; 1 has states of a byte): XT_CONNTRACK_STATE alone. */
function matchConntrack(info: Info, packet: KnownPacket): XtablesAnswer {
  const flags = info.u16(146);
  const inverted = info.u16(148);
  const states = info.revision === 1 ? info.u8(150) : info.u16(150);
  const state: XtablesAnswer = (flags & 1) === 0
    ? "yes"
    : decide((states & (stateBits(packet, 1 << 8) | natBits(packet))) !== 0, (inverted & 1) !== 0);
  if (state === "no") return "no";
  return (flags & ~1 & ~(1 << 13)) === 0 ? state : "unknown";
}

/**
 * struct xt_addrtype_info_v1: source, dest, flags. Packets of intercepted flows have addresses of others:
 * XT_ADDRTYPE_UNICAST is their type.
 */
function matchAddressType(info: Info, packet: KnownPacket): XtablesAnswer {
  const unicast = 1 << RTN_UNICAST;
  const type = 1 << (packet.destinationType ?? RTN_UNICAST);
  const [source, destination] = [info.u16(0), info.u16(2)];
  const inverted = info.revision === 0
    ? [info.u32(4) !== 0, info.u32(8) !== 0]
    : [(info.u32(4) & 1) !== 0, (info.u32(4) & 2) !== 0];
  if (destination !== 0 && decide((destination & type) !== 0, inverted[1]) === "no") return "no";
  if (source === 0) return "yes";
  return packet.input === undefined ? "unknown" : decide((source & unicast) !== 0, inverted[0]);
}

/** struct xt_tcp: ranges of ports, option, mask and value of the flags, what is inverted. */
function matchTcp(info: Info, packet: KnownPacket): XtablesAnswer {
  if (packet.protocol !== "tcp") return "no";
  const inverted = info.u8(11);
  const ports = matchPorts(info, packet, (inverted & 1) !== 0, (inverted & 2) !== 0);
  const mask = info.u8(9);
  if (ports === "no" || mask === 0) return info.u8(8) === 0 ? ports : unless(ports);
  if (packet.tcpFlags === undefined) return "unknown";
  const flags = decide((packet.tcpFlags & mask) === info.u8(10), (inverted & 4) !== 0);
  return flags === "no" ? "no" : info.u8(8) === 0 ? ports : unless(ports);
}

/** With a further question (an option of TCP) a yes is no longer sure. */
function unless(answer: XtablesAnswer): XtablesAnswer {
  return answer === "no" ? "no" : "unknown";
}

function matchPorts(
  info: Info,
  { sourcePort, destinationPort }: KnownPacket,
  notSource: boolean,
  notDestination: boolean,
): XtablesAnswer {
  const answers = [
    inRange(sourcePort, info.u16(0), info.u16(2), notSource),
    inRange(destinationPort, info.u16(4), info.u16(6), notDestination),
  ];
  return answers.includes("no") ? "no" : answers.includes("unknown") ? "unknown" : "yes";
}

function inRange(port: number | undefined, from: number, to: number, inverted: boolean): XtablesAnswer {
  if (from === 0 && to === 0xffff) return decide(true, inverted);
  return port === undefined ? "unknown" : decide(port >= from && port <= to, inverted);
}

/** struct xt_multiport_v1: flags (source, destination, either), count, ports, which begin a range, invert. */
function matchMultiport(info: Info, packet: KnownPacket): XtablesAnswer {
  const [side, count] = [info.u8(0), info.u8(1)];
  const known = [packet.sourcePort, packet.destinationPort];
  const ports = side === 0 ? [known[0]] : side === 1 ? [known[1]] : known;
  let found = false;
  for (let n = 0; n < count; n++) {
    const from = info.u16(2 + 2 * n);
    const range = info.revision > 0 && info.u8(32 + n) !== 0;
    const to = range ? info.u16(2 + 2 * ++n) : from;
    found ||= ports.some((port) => port !== undefined && port >= from && port <= to);
  }
  if (!found && ports.includes(undefined)) return "unknown";
  return decide(found, info.revision > 0 && info.u8(47) !== 0);
}

/** struct xt_hashlimit_mtinfo1 to 3: the name, then the mode; XT_HASHLIMIT_INVERT: above. */
function matchHashLimit(info: Info): XtablesAnswer {
  const mode = info.u32(info.revision === 1 ? 16 : 272);
  return (mode & 1 << 4) !== 0 ? "over" : "limited";
}
