/**
 * Matches of iptables as options of its command line. Pure.
 * @module
 */
import { hex } from "../../net/hex.ts";
import { Info, type XtablesPart } from "./xtables_match.ts";

/** Writes `-m conntrack --ctstate NEW`; of one that is not known, its name. */
export function describeXtables(part: XtablesPart): string {
  try {
    return TEXTS[part.name]?.(new Info(part), part) ?? `-m ${part.name} …`;
  } catch (error) {
    if (error instanceof RangeError) return `-m ${part.name} …`;
    throw error;
  }
}

type Text = (info: Info, part: XtablesPart) => string | undefined;

const TEXTS: Readonly<Record<string, Text>> = {
  comment: (_info, { info }) =>
    `-m comment --comment "${new TextDecoder().decode(info).replace(/\0.*$/s, "")}"`,
  conntrack: (info) => {
    const states = info.revision === 1 ? info.u8(150) : info.u16(150);
    const others = (info.u16(146) & ~1 & ~(1 << 13)) === 0 ? "" : " …";
    if ((info.u16(146) & 1) === 0) return undefined;
    return `-m conntrack ${(info.u16(148) & 1) !== 0 ? "! " : ""}--ctstate ${
      nameStates(states, 1 << 8)
    }${others}`;
  },
  state: (info) => `-m state --state ${nameStates(info.u32(0), 1 << 6)}`,
  mark: (info) => `-m mark ${info.u8(8) !== 0 ? "! " : ""}--mark ${hex(info.u32(0))}/${hex(info.u32(4))}`,
  addrtype: (info) =>
    `-m addrtype ${nameTypes("--src-type", info, 0)} ${nameTypes("--dst-type", info, 1)}`
      .replaceAll(/ +/g, " ").trimEnd(),
  tcp: (info) => [namePorts(info, info.u8(11)), nameTcpFlags(info)].filter((text) => text !== "").join(" "),
  udp: (info) => namePorts(info, info.u8(8)),
  multiport: nameMultiport,
  limit: () => "-m limit --limit …",
  rpfilter: (info) => {
    const options = ["--loose", "--validmark", "--accept-local", "--invert"];
    return ["-m rpfilter", ...options.filter((_, bit) => (info.u8(0) & 1 << bit) !== 0)].join(" ");
  },
};

function nameStates(bits: number, untracked: number): string {
  const names: [string, number][] = [
    ["INVALID", 1],
    ["ESTABLISHED", 2],
    ["RELATED", 4],
    ["NEW", 8],
    ["UNTRACKED", untracked],
  ];
  return names.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name).join(",");
}

const TYPES = ["UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE"];

/** The source is side 0, the destination side 1. */
function nameTypes(option: string, info: Info, side: 0 | 1): string {
  const names = TYPES.filter((_, bit) => (info.u16(2 * side) & 1 << bit) !== 0);
  const inverted = info.revision === 0 ? info.u32(4 + 4 * side) !== 0 : (info.u32(4) & 1 << side) !== 0;
  return names.length === 0 ? "" : `${inverted ? "! " : ""}${option} ${names.join(",")}`;
}

function namePorts(info: Info, inverted: number): string {
  const range = (option: string, at: number, bit: number) => {
    const [from, to] = [info.u16(at), info.u16(at + 2)];
    if (from === 0 && to === 0xffff) return "";
    return `${(inverted & bit) !== 0 ? "! " : ""}${option} ${from === to ? from : `${from}:${to}`}`;
  };
  return [range("--sport", 0, 1), range("--dport", 4, 2)].filter((text) => text !== "").join(" ");
}

/** struct xt_tcp: the mask of the flags, their value, and what is inverted (XT_TCP_INV_FLAGS). */
function nameTcpFlags(info: Info): string {
  const mask = info.u8(9);
  return mask === 0 ? "" : describeTcpFlags(mask, info.u8(10), (info.u8(11) & 4) !== 0);
}

const FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];

/** Writes `--tcp-flags FIN,SYN,RST,ACK SYN`. */
export function describeTcpFlags(mask: number, value: number, inverted: boolean): string {
  const names = (bits: number) => FLAGS.filter((_, bit) => (bits & 1 << bit) !== 0).join(",") || "NONE";
  return `${inverted ? "! " : ""}--tcp-flags ${names(mask)} ${names(value)}`;
}

/** Writes `-j MARK --set-xmark 0x2/0xffffffff`; of one that is not known, its name. */
export function describeTarget(part: XtablesPart): string {
  const info = new Info(part);
  return part.name === "MARK" && part.revision === 2 && part.info.length >= 8
    ? `-j MARK --set-xmark ${hex(info.u32(0))}/${hex(info.u32(4))}`
    : `-j ${part.name}`;
}

function nameMultiport(info: Info): string {
  const [side, count] = [info.u8(0), info.u8(1)];
  const ports: string[] = [];
  for (let n = 0; n < count; n++) {
    const from = info.u16(2 + 2 * n);
    ports.push(info.revision > 0 && info.u8(32 + n) !== 0 ? `${from}:${info.u16(2 + 2 * ++n)}` : `${from}`);
  }
  const option = ["--sports", "--dports", "--ports"][side] ?? "--ports";
  const inverted = info.revision > 0 && info.u8(47) !== 0 ? "! " : "";
  return `-m multiport ${inverted}${option} ${ports.join(",")}`;
}
