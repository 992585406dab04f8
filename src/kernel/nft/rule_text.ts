/**
 * Rules as text for nft. Pure.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import { hex } from "../../net/hex.ts";
import { type Family, formatEndpoint } from "../../net/ip.ts";
import { type Original, originalEnds } from "../../netlink/nft/phrases.ts";
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
      return `${renderFlow(statement.family, { answer: !statement.answer })} @${statement.set}`;
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
    case "no-bare-syn":
      return "tcp flags != syn / fin,syn,rst,ack";
    case "acknowledges":
      return "tcp flags ack / syn,rst,ack";
    case "resets-alone":
      return "tcp flags rst / rst,ack";
    case "tcp-option":
      return `tcp option ${statement.option} exists`;
    case "wildcard-socket":
      return "socket wildcard 1";
    case "connected-socket":
      return "tproxy to :1";
    case "priority":
      return `meta priority ${renderPriority(statement.priority)}`;
    case "ttl":
      return `${statement.family === "ipv4" ? "ip ttl" : "ip6 hoplimit"} ${statement.ttl}`;
    case "zone":
      return `ct zone ${statement.zone}`;
    case "unknown-flow":
      return "ct state invalid,new";
    case "untracked":
      return "ct state untracked";
    case "related-flow":
      return "ct state related";
    case "helped-flow":
      return "ct status 0x2000";
    case "flow-label":
      return `ct label ${statement.negate ? "! " : ""}${statement.label}`;
    case "carries-data":
      return "@ih,0,8 >= 0x0";
    case "set-label":
      return `ct label set ${statement.label}`;
    case "reset-tcp-option":
      return `reset tcp option ${statement.option}`;
    case "translated-flow":
      return "ct status snat,dnat";
    case "redirected-flow":
      return "ct status dnat";
    case "marked-flow":
      return statement.negate ? "ct mark 0x0" : "ct mark != 0x0";
    case "original-flow":
      return `${renderOriginals(statement.family)} @${statement.set}`;
    case "source-port-share": {
      const port = statement.original ? "ct original proto-src" : "th sport";
      return `${port} & ${statement.mask} ${statement.first}-${statement.last}`;
    }
    case "tproxy": {
      const family = statement.to.address.family === "ipv4" ? "ip" : "ip6";
      return `tproxy ${family} to ${formatEndpoint(statement.to)}`;
    }
    case "set-mark":
      return `meta mark set meta mark | ${hex(statement.mask)}`;
    case "clear-mark": {
      const set = statement.set === 0 ? "" : ` | ${hex(statement.set)}`;
      return `meta mark set meta mark & ${hex(~(statement.mask | statement.set) >>> 0)}${set}`;
    }
    case "restore-mark":
      return "meta mark set socket mark";
    case "take-flow-mark":
      return "meta mark set ct mark";
    case "set-zone":
      return `ct zone set ${statement.zone}`;
    case "forget-original":
      return `delete @${statement.set} { ${renderOriginals(statement.family)} }`;
    case "note-mark":
    case "forget-mark": {
      const { family, original } = statement;
      const flow = original ? renderOriginals(family) : renderFlow(family, { answer: true });
      return `${statement.kind === "note-mark" ? "add" : "delete"} @${statement.set} { ${flow} : ct mark }`;
    }
    case "recall-mark":
      return `ct mark set ${
        renderFlow(statement.family, { answer: !statement.answer })
      } map @${statement.set}`;
    case "counter":
      return "counter";
    case "log":
      return `log prefix "${statement.prefix}" group ${statement.group} queue-threshold 1`;
    case "queue":
      return `queue flags bypass to ${statement.number}`;
    case "overwrite": {
      const header = statement.base === "network" ? "nh" : "th";
      const field = `@${header},${statement.offset * 8},${statement.length * 8}`;
      return `${field} set ${renderOriginal(statement.original)}`;
    }
    case "nat-to-itself": {
      const header = statement.family === "ipv4" ? "ip" : "ip6";
      return statement.side === "source"
        ? `snat ${header} to ${header} saddr`
        : `dnat ${header} to ${header} daddr`;
    }
    case "notrack":
      return "notrack";
    case "reject":
      return `reject with ${statement.answer === "tcp-reset" ? "tcp reset" : `icmpx ${statement.answer}`}`;
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

function renderOriginals(family: Family): string {
  return originalEnds(family).map(renderOriginal).join(" . ");
}

/** A fact about the flow as its first packet came in. */
function renderOriginal({ key, side, family }: Original): string {
  if (key === "port") return `ct original ${side === "source" ? "proto-src" : "proto-dst"}`;
  return `ct original ${family === "ipv4" ? "ip" : "ip6"} ${side === "source" ? "saddr" : "daddr"}`;
}

/** Two halves, as traffic control has them. */
function renderPriority(priority: number): string {
  return `${(priority >>> 16).toString(16)}:${(priority & 0xffff).toString(16)}`;
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
