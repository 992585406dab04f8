/**
 * The table as text for `nft -f`, with the reasons as comments. Pure.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import { hex } from "../../net/hex.ts";
import { type Family, formatEndpoint } from "../../net/ip.ts";
import type { PlannedSet } from "../plan/rules/set.ts";
import type { ChainHook, CompiledChain, CompiledTable, Statement } from "./model.ts";
import { inReadingOrder } from "./reading_order.ts";
import { elementTexts, setProperties } from "./set_elements.ts";

/** Prefixes of nft's names for priorities, linux/netfilter_ipv4.h. */
const PRIORITIES: Readonly<Record<number, string>> = {
  [-310]: "raw - 10",
  [-160]: "mangle - 10",
  [-300]: "raw",
  [-90]: "dstnat + 10",
};

/** Networks on a line of a long list. */
const ELEMENTS_PER_LINE = 8;

const HEAD = [
  "# page: nft add table filter",
  "# A table of our own, of both families. Add and delete: the transaction works whether the table is there or not, and",
  "# no packet sees a moment without it",
];

/** What the kernel's page has for the chain `divert`. */
const PAGE_DIVERT = [
  'page: nft add chain filter divert "{ type filter hook prerouting priority -150; }"',
  "page: nft add rule filter divert meta l4proto tcp socket transparent 1 meta mark set 1 accept",
  'Here "mark set mark | 0x1": the other bits are other programs\'',
];

/** What it has for a chain that steers to a listener. */
const PAGE_TPROXY = [
  "page: nft add rule filter divert tcp dport 80 tproxy to :50080 meta mark set 1 accept",
  "Here with the listener's address: one on all addresses would take connections to port 50080 of any server",
];

/** A transaction that replaces the table, whether it is there or not. */
export function renderNft(table: CompiledTable): string {
  const head = `table inet ${table.name}`;
  return [
    ...HEAD,
    `add ${head}`,
    `delete ${head}`,
    `${head} {`,
    `\tcomment ${quote(table.comment)}`,
    ...table.sets.flatMap(renderSet),
    ...inReadingOrder(table.chains).flatMap(renderChain),
    "}",
    "",
  ].join("\n");
}

function renderSet(set: PlannedSet): string[] {
  const elements = set.type === "ifname" ? set.elements.map(quote) : elementTexts(set);
  const { type, size, flags, timeoutMs } = setProperties(set);
  return [
    "",
    `\t# ${set.reason}`,
    `\tset ${set.name} {`,
    `\t\ttype ${type.join(" . ")}`,
    ...(size === undefined ? [] : [`\t\tsize ${size}`]),
    ...(flags === undefined ? [] : [`\t\tflags ${flags.join(",")}`]),
    ...(timeoutMs === undefined ? [] : [`\t\ttimeout ${timeoutMs / 1000}s`]),
    ...(elements.length === 0 ? [] : [`\t\telements = { ${inLines(elements)} }`]),
    "\t}",
  ];
}

/** A long list is broken into lines. */
function inLines(elements: readonly string[]): string {
  const lines: string[] = [];
  for (let start = 0; start < elements.length; start += ELEMENTS_PER_LINE) {
    lines.push(elements.slice(start, start + ELEMENTS_PER_LINE).join(", "));
  }
  return lines.join(",\n\t\t\t");
}

function pageLines({ place, rules }: CompiledChain): readonly string[] {
  if (place === "from-clients") return PAGE_DIVERT;
  const steers = rules.some(({ statements }) => statements.some(({ kind }) => kind === "tproxy"));
  return steers ? PAGE_TPROXY : [];
}

function renderChain(chain: CompiledChain): string[] {
  return [
    "",
    `\t# ${chain.reason}`,
    ...pageLines(chain).map((line) => `\t# ${line}`),
    `\tchain ${chain.name} {`,
    ...(chain.hook === undefined ? [] : [`\t\t${renderHook(chain.hook)}`]),
    ...chain.rules.flatMap((rule) => [`\t\t# ${rule.reason}`, `\t\t${renderRule(rule.statements)}`]),
    "\t}",
  ];
}

/** `type filter hook prerouting priority raw - 10; policy accept;` */
export function renderHook(hook: ChainHook): string {
  const priority = PRIORITIES[hook.priority] ?? String(hook.priority);
  return `type ${hook.type ?? "filter"} hook ${hook.hook} priority ${priority}; policy accept;`;
}

/** A rule as nft's text. */
export function renderRule(statements: readonly Statement[]): string {
  return statements.map(renderStatement).join(" ");
}

function renderStatement(statement: Statement): string {
  switch (statement.kind) {
    case "input-interface":
      return `iifname ${statement.negate ? "!= " : ""}@${statement.set}`;
    case "input-interface-name":
      return `iifname ${statement.negate ? "!= " : ""}${quote(statement.name)}`;
    case "output-interface":
      return `oifname @${statement.set}`;
    case "output-interface-name":
      return `oifname ${quote(statement.name)}`;
    case "family":
      return `meta nfproto ${statement.family}`;
    case "protocol":
      return `meta l4proto ${renderChoice(statement.protocols)}`;
    case "bare-syn":
      return "tcp flags syn / fin,syn,rst,ack";
    case "destination-port":
      return `th dport ${statement.negate ? "!= " : ""}@${statement.set}`;
    case "address": {
      const header = statement.family === "ipv4" ? "ip" : "ip6";
      return `${header} ${statement.side === "source" ? "saddr" : "daddr"} @${statement.set}`;
    }
    case "hardware-address":
      return `ether saddr @${statement.set}`;
    case "destination-type":
      return `fib daddr type ${statement.negate ? "!= " : ""}${renderChoice(statement.types)}`;
    case "transparent-socket":
      return "socket transparent 1";
    case "icmp-error": {
      const type = statement.family === "ipv4" ? "icmp type" : "icmpv6 type";
      if (statement.error === "unreachable") return `${type} destination-unreachable`;
      return statement.family === "ipv4"
        ? `${type} destination-unreachable icmp code frag-needed`
        : `${type} packet-too-big`;
    }
    case "known-flow":
      return "ct state established,related";
    case "original-direction":
      return "ct direction original";
    case "remembered-flow":
      return `${renderFlow(statement.family, { answer: true })} @${statement.set}`;
    case "remember-flow":
      return `update @${statement.set} { ${renderFlow(statement.family, statement)} }`;
    case "foreign-source":
      return "fib saddr type != local";
    case "of-program":
      return "meta skuid != 4294967295";
    case "marked":
      return "meta mark != 0x0";
    case "mark-bits": {
      const bits = hex(statement.mask);
      return `meta mark & ${bits} ${statement.negate ? "!=" : "=="} ${bits}`;
    }
    case "new-flow":
      return "ct state new";
    case "flow-bits":
      return `ct mark & ${hex(statement.mask)} == ${hex(statement.mask)}`;
    case "set-flow-bits":
      return statement.clear
        ? `ct mark set ct mark & ${hex(~statement.mask >>> 0)}`
        : `ct mark set ct mark | ${hex(statement.mask)}`;
    case "packet-length":
      return `meta length ${statement.bytes}`;
    case "proxy-runs":
      return `meta nfproto @${statement.set}`;
    case "proxy-shows":
      return `update @${statement.set} { meta nfproto }`;
    case "socket-mark":
      return `socket mark ${hex(statement.mark)}`;
    case "mark":
      return `meta mark ${hex(statement.mark)}`;
    case "tproxy": {
      const family = statement.to.address.family === "ipv4" ? "ip" : "ip6";
      return `tproxy ${family} to ${formatEndpoint(statement.to)}`;
    }
    case "set-mark":
      return `meta mark set meta mark | ${hex(statement.mask)}`;
    case "notrack":
      return "notrack";
    case "reject":
      return statement.answer === "tcp-reset"
        ? "reject with tcp reset"
        : "reject with icmpx port-unreachable";
    case "verdict":
      return statement.verdict;
    case "goto":
      return `goto ${statement.chain}`;
    default:
      return statement satisfies never;
  }
}

/** The addresses and ports of a packet, as those of an answer. */
function renderFlow(family: Family, { answer }: { answer: boolean }): string {
  const header = family === "ipv4" ? "ip" : "ip6";
  const ends = [`${header} saddr . th sport`, `${header} daddr . th dport`];
  return (answer ? ends : ends.toReversed()).join(" . ");
}

function renderChoice(values: readonly string[]): string {
  return values.length === 1 ? values[0] : `{ ${values.join(", ")} }`;
}

/** nft has no escape for a quote, and reads a trailing asterisk as a wildcard. */
function quote(text: string): string {
  if (/^[^"\\*\n]+$/.test(text)) return `"${text}"`;
  throw new OperationError({
    operation: "write for nft",
    object: text,
    reason: "its language cannot express this name; tproxy install can use it",
  });
}
