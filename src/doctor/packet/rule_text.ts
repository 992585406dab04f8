/**
 * The text of another program's rule, as its administrator has written it: for nft, or for iptables. Pure.
 * @module
 */
import { LITTLE_ENDIAN } from "../../netlink/attribute.ts";
import type { Verdict } from "../../netlink/nft/data.ts";
import { CT_STATE } from "../../netlink/nft/expr/ct.ts";
import type { NftExpression } from "../../netlink/nft/expression.ts";
import { formatIpProtocol } from "../../netlink/route/rule_text.ts";
import { FAMILIES, FAMILY_NUMBERS } from "../../net/families.ts";
import { routeTypeOf } from "../../netlink/route/route_type.ts";
import { hex, hexBytes } from "../../net/hex.ts";
import { type Family, formatIp } from "../../net/ip.ts";
import { FRAGMENT_OFFSET } from "./known_packet.ts";
import type { FindSet, KnownSet } from "./known_set.ts";
import { describeTarget, describeTcpFlags, describeXtables } from "./xtables_text.ts";
import { readXtablesPart } from "./xtables_part.ts";

/** The tongue of a firewall. */
export type Tongue = "nft" | "iptables";

/** Content of a register, in words: the left side of a comparison, and how its values are written. */
interface Subject {
  readonly text: string;
  readonly show: Show;
  readonly mask?: Uint8Array;
  /** The value itself, where a rule has it. */
  readonly held?: Uint8Array;
}

type Show = (value: Uint8Array) => string;

const SHOWN_ELEMENTS = 6;
/** A value that is no number of what it is compared with: the key of a concatenation, for one. */
const UNREAD = "…";
const number: Show = (value) =>
  value.length > 6 ? UNREAD : String(value.reduce((sum, byte) => sum * 256 + byte, 0));
const text: Show = (value) => new TextDecoder().decode(value).replace(/\0.*$/, "");
const NAME_SIZE = 16;

function viewOf(value: Uint8Array): DataView {
  return new DataView(value.buffer, value.byteOffset, value.byteLength);
}

/** Of a network whose length is whole bytes, only these are compared. */
function network(family: Family): Show {
  const size = family === "ipv4" ? 4 : 16;
  return (value) => {
    if (value.length > size) return UNREAD;
    const bytes = new Uint8Array(size);
    bytes.set(value);
    return formatIp({ family, bytes }) + (value.length === size ? "" : `/${8 * value.length}`);
  };
}
const host: Show = (value) =>
  value.length === 4 ? hex(viewOf(value).getUint32(0, LITTLE_ENDIAN)) : number(value);
const short: Show = (value) =>
  value.length === 2 ? String(viewOf(value).getUint16(0, LITTLE_ENDIAN)) : UNREAD;
const type: Show = (value) =>
  value.length === 4 ? routeTypeOf(viewOf(value).getUint32(0, LITTLE_ENDIAN)) : UNREAD;
const hardware: Show = (value) => hexBytes(value, ":");
const exists: Show = ([value]) => value === 0 ? "missing" : "exists";
const protocol: Show = (value) => formatIpProtocol(value[0]);
const family: Show = (value) =>
  FAMILIES.find((family) => FAMILY_NUMBERS[family] === value[0]) ?? number(value);
const states: Show = (value) => {
  const bits = Number(host(value));
  const names = Object.entries(CT_STATE).filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name);
  return names.join(",");
};

const META: Readonly<Record<string, { nft: string; iptables: string; show: Show }>> = {
  iifname: { nft: "iifname", iptables: "-i", show: text },
  oifname: { nft: "oifname", iptables: "-o", show: text },
  l4proto: { nft: "meta l4proto", iptables: "-p", show: protocol },
  nfproto: { nft: "meta nfproto", iptables: "", show: family },
  mark: { nft: "meta mark", iptables: "-m mark --mark", show: host },
  iiftype: { nft: "meta iiftype", iptables: "", show: short },
  length: { nft: "meta length", iptables: "-m length --length", show: number },
};
const PORTS: Readonly<Record<number, { nft: string; iptables: string }>> = {
  0: { nft: "th sport", iptables: "--sport" },
  2: { nft: "th dport", iptables: "--dport" },
};
const ADDRESSES: Readonly<Record<number, { nft: string; iptables: string; show: Show }>> = {
  12: { nft: "ip saddr", iptables: "-s", show: network("ipv4") },
  16: { nft: "ip daddr", iptables: "-d", show: network("ipv4") },
  8: { nft: "ip6 saddr", iptables: "-s", show: network("ipv6") },
  24: { nft: "ip6 daddr", iptables: "-d", show: network("ipv6") },
};

const FRAGMENT = { nft: "ip frag-off", iptables: "-f" } as const;
const TCP_FLAGS = "tcp flags";

/** Writes a rule in one line; what is not known of it is `…`. */
export function formatRule(
  expressions: readonly NftExpression[],
  { tongue, findSet }: { tongue: Tongue; findSet: FindSet },
): string {
  const registers = new Map<number, Subject>();
  const words = expressions.map((expression) => write(expression, { tongue, findSet, registers }));
  return words.filter((word) => word !== "").join(" ");
}

interface Context {
  readonly tongue: Tongue;
  readonly findSet: FindSet;
  readonly registers: Map<number, Subject>;
}

function write(expression: NftExpression, context: Context): string {
  const { tongue, registers } = context;
  switch (expression.kind) {
    case "meta":
    case "ct":
    case "payload":
    case "fib":
    case "socket": {
      if ("direction" in expression && expression.direction === "set") {
        const held = registers.get(expression.register)?.held;
        return tongue === "nft"
          ? `${expression.kind} ${expression.key} set ${held === undefined ? "…" : host(held)}`
          : "";
      }
      registers.set(expression.register, subjectOf(expression, tongue));
      return "";
    }
    case "bitwise": {
      const subject = registers.get(expression.source);
      if (subject !== undefined) registers.set(expression.destination, { ...subject, mask: expression.mask });
      return "";
    }
    case "cmp":
      return compare(registers.get(expression.register), expression, tongue);
    case "range": {
      const { text = "…", show = number } = registers.get(expression.register) ?? {};
      const values = `${show(expression.from)}${tongue === "nft" ? "-" : ":"}${show(expression.to)}`;
      return join(text, expression.operator === "neq", values, tongue);
    }
    case "lookup": {
      const subject = registers.get(expression.register);
      const set = describeSet(expression.set, context.findSet(expression.set), subject?.show ?? number);
      const vmap = expression.destination === 0 ? "vmap " : "";
      return `${subject?.text ?? "…"} ${expression.inverted === true ? "!= " : ""}${vmap}${set}`;
    }
    case "verdict":
      return writeVerdict(expression.verdict, tongue);
    case "reject":
      return tongue === "nft" ? "reject" : "-j REJECT";
    case "masquerade":
      return tongue === "nft" ? "masquerade" : "-j MASQUERADE";
    case "notrack":
      return "notrack";
    case "queue":
      return "queue";
    case "tproxy":
      return "tproxy to …";
    case "immediate": {
      const { register, value } = expression;
      registers.set(register, { text: showImmediate(value), show: host, held: value });
      return "";
    }
    case "nat": {
      const [to, port] = [expression.addressRegister, expression.portRegister ?? 0];
      const end = registers.get(port) === undefined ? "" : `:${registers.get(port)!.text}`;
      return `${expression.type} to ${registers.get(to)?.text ?? "…"}${end}`;
    }
    case "counter":
    case "dynset":
    case "log":
    case "payload-write":
    case "tcp-option":
    case "tcp-option-reset":
      return "";
    case "unknown": {
      const [match, target] = [readXtablesPart(expression, "match"), readXtablesPart(expression, "target")];
      if (match !== undefined) return describeXtables(match);
      if (target !== undefined) return describeTarget(target);
      return expression.name === "byteorder" ? "" : expression.name;
    }
    default:
      return expression satisfies never;
  }
}

/** A port, or an address. */
function showImmediate(value: Uint8Array): string {
  if (value.length === 2) return number(value);
  return value.length === 4 || value.length === 16
    ? network(value.length === 4 ? "ipv4" : "ipv6")(value)
    : "…";
}

function subjectOf(
  expression: Extract<NftExpression, { kind: "meta" | "ct" | "payload" | "fib" | "socket" }>,
  tongue: Tongue,
): Subject {
  switch (expression.kind) {
    case "meta": {
      const known = META[expression.key];
      return known === undefined
        ? { text: `meta ${expression.key}`, show: host }
        : { text: known[tongue], show: known.show };
    }
    case "ct":
      return { text: `ct ${expression.key}`, show: expression.key === "state" ? states : host };
    case "fib": {
      const text = `fib ${expression.flags.join(" . ")} ${expression.result}`;
      if (expression.result === "type") return { text, show: type };
      return { text, show: expression.present === true ? exists : host };
    }
    case "socket":
      return { text: `socket ${expression.key}`, show: host };
    case "payload": {
      const { base, offset, length } = expression;
      if (base === "link" && length === 6 && offset <= 6) {
        return { text: offset === 0 ? "ether daddr" : "ether saddr", show: hardware };
      }
      const port = base === "transport" && length === 2 ? PORTS[offset] : undefined;
      if (port !== undefined) return { text: port[tongue], show: number };
      const place = base === "network" && length > 1 ? ADDRESSES[offset] : undefined;
      if (place !== undefined) return { text: place[tongue], show: place.show };
      if (base === "network" && length === 1) return { text: "ip protocol", show: protocol };
      if (base === "network" && offset === FRAGMENT_OFFSET.offset) {
        return { text: FRAGMENT[tongue], show: number };
      }
      return base === "transport" && offset === 13
        ? { text: TCP_FLAGS, show: host }
        : { text: "…", show: number };
    }
  }
}

function compare(
  subject: Subject | undefined,
  { operator, value }: Extract<NftExpression, { kind: "cmp" }>,
  tongue: Tongue,
): string {
  if (subject === undefined) return "…";
  const { text, show, mask } = subject;
  // A state is asked for by a mask and a comparison with 0.
  if (text === "ct state" && mask !== undefined) {
    return `ct state ${operator === "neq" ? "" : "!= "}${show(mask)}`;
  }
  if (tongue === "iptables" && text === FRAGMENT.iptables) return operator === "neq" ? "-f" : "! -f";
  if (tongue === "iptables" && text === TCP_FLAGS) {
    return describeTcpFlags(mask?.[0] ?? 0xff, value[0], operator === "neq");
  }
  const sign = { eq: "", neq: "!= ", lt: "< ", lte: "<= ", gt: "> ", gte: ">= " }[operator];
  const name = /^([io]ifname|-[io])$/.test(text);
  const wildcard = !name || value.at(-1) === 0 || value.length === NAME_SIZE
    ? ""
    : tongue === "nft"
    ? "*"
    : "+";
  const plain = show(value) + wildcard;
  const quoted = tongue === "nft" && name ? `"${plain}"` : plain;
  const shown = mask === undefined
    ? quoted
    : text.endsWith("addr") || /^-[sd]$/.test(text)
    ? `${quoted}/${countBits(mask)}`
    : tongue === "nft"
    ? `& ${host(mask)} == ${quoted}`
    : `${quoted}/${host(mask)}`;
  return tongue === "nft" ? `${text} ${sign}${shown}` : join(text, operator === "neq", shown, tongue);
}

function join(text: string, inverted: boolean, value: string, tongue: Tongue): string {
  if (text === "") return "";
  if (tongue === "nft") return `${text} ${inverted ? "!= " : ""}${value}`;
  const [, match, option] = /^(-m \S+) (.*)$/.exec(text) ?? [];
  if (match !== undefined) return `${match} ${inverted ? "! " : ""}${option} ${value}`;
  return `${inverted ? "! " : ""}${text} ${value}`;
}

function countBits(mask: Uint8Array): number {
  return mask.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
}

function describeSet(name: string, set: KnownSet | undefined, show: Show): string {
  if (!name.startsWith("__")) return `@${name}`;
  const elements = set?.elements.filter(({ intervalEnd }) => intervalEnd !== true) ?? [];
  if (set === undefined || elements.length > SHOWN_ELEMENTS) return "{ … }";
  return `{ ${elements.map(({ key, value }) => `${show(key)}${describeValue(value)}`).join(", ")} }`;
}

function describeValue(value: KnownSet["elements"][number]["value"]): string {
  return value === undefined || value instanceof Uint8Array ? "" : ` : ${writeVerdict(value, "nft")}`;
}

function writeVerdict({ code, chain }: Verdict, tongue: Tongue): string {
  if (tongue === "nft") return chain === undefined ? code : `${code} ${chain}`;
  return chain === undefined ? `-j ${code.toUpperCase()}` : `${code === "goto" ? "-g" : "-j"} ${chain}`;
}
