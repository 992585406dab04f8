/**
 * Rules as text for nft. Pure.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import { hex } from "../../net/hex.ts";
import { type Family, formatEndpoint } from "../../net/ip.ts";
import type { Statement } from "./model.ts";

/** Renders a rule as nft's text. */
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

/** Quotes a name. nft has no escape for a quote, and reads a trailing asterisk as a wildcard. */
export function quote(text: string): string {
  if (/^[^"\\*\n]+$/.test(text)) return `"${text}"`;
  throw new OperationError({
    operation: "write for nft",
    object: text,
    reason: "its language cannot express this name; tproxy install can use it",
  });
}
