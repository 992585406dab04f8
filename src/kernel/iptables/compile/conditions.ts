/**
 * The matches of planned rules in the words of iptables. Pure.
 * @module
 */
import type { PortRange, Protocol } from "../../../config/types.ts";
import { OperationError } from "../../../net/error.ts";
import type { Family } from "../../../net/ip.ts";
import type { KeyRange } from "../../../netlink/nft/sets/interval.ts";
import type { PlannedSet, Statement } from "../../plan/model.ts";
import { type Fragment, type Match, one } from "./fragment.ts";
import { isAnswer } from "./flows.ts";
import { rangePrefixes } from "./prefixes.ts";

/** Ports in one `--dports`, XT_MULTI_PORTS in linux/netfilter/xt_multiport.h; a range takes two places. */
const PORTS_PER_RULE = 15;
const PROTOCOLS: readonly Protocol[] = ["tcp", "udp"];

/** The type, or type and code: RFC 792, RFC 4443. */
const ICMP_ERRORS: Readonly<Record<Family, Record<"too-big" | "unreachable", readonly Fragment[]>>> = {
  ipv4: { "too-big": icmp("icmp", "icmp --icmp-type 3/4"), unreachable: icmp("icmp", "icmp --icmp-type 3") },
  ipv6: {
    "too-big": icmp("ipv6-icmp", "icmp6 --icmpv6-type 2"),
    unreachable: icmp("ipv6-icmp", "icmp6 --icmpv6-type 1"),
  },
};

/** What the matches of a rule are made from. */
export interface MatchContext {
  readonly family: Family;
  readonly sets: readonly PlannedSet[];
}

/** The matches among the statements of a rule; undefined if nothing of this family can match. */
export function translateMatches(
  statements: readonly Statement[],
  context: MatchContext,
): Match[] | undefined {
  const matches: Match[] = [];
  for (const statement of statements) {
    const match = translate(statement, statements, context);
    if (match === "never") return undefined;
    if (match !== undefined) matches.push(match);
  }
  return matches;
}

/** Undefined: the statement is an action, or another statement says it as well. */
function translate(
  statement: Statement,
  rule: readonly Statement[],
  { family, sets }: MatchContext,
): Match | "never" | undefined {
  switch (statement.kind) {
    case "family":
      return statement.family === family ? undefined : "never";
    case "input-interface": {
      const names = elementsOf(sets, statement.set, "ifname");
      return { any: names.map((name) => [inputFragment(name)]), negate: statement.negate };
    }
    case "input-interface-name":
      return { any: [[inputFragment(statement.name)]], negate: statement.negate };
    case "protocol":
      // Ports need their protocol in the same rule.
      if (rule.some(({ kind }) => kind === "destination-port")) return undefined;
      return { any: statement.protocols.map((protocol) => [protocolFragment(protocol)]) };
    case "bare-syn":
      return {
        any: [[protocolFragment("tcp"), {
          kind: "match",
          text: "-m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
        }]],
      };
    case "destination-port":
      return {
        any: translatePorts(elementsOf(sets, statement.set, "inet_service"), protocolsOf(rule)),
        negate: statement.negate,
      };
    case "address":
      return statement.family === family ? translateAddresses(statement, sets) : "never";
    case "hardware-address":
      return {
        any: elementsOf(sets, statement.set, "ether_addr")
          .map((address): Fragment[] => [{ kind: "match", text: `-m mac --mac-source ${address}` }]),
      };
    case "destination-type": {
      if (family === "ipv4") return addressTypes([statement.types.join(",")], statement.negate);
      // IPv6 has no broadcast, and of several types in one match all would have to be those of the address.
      return addressTypes(statement.types.filter((type) => type !== "broadcast"), statement.negate);
    }
    case "transparent-socket": {
      // The mark of the socket becomes that of the packet, where the next statement looks at it.
      const restore = rule.some(({ kind }) => kind === "socket-mark") ? " --restore-skmark" : "";
      return one("match", `-m socket --transparent${restore}`);
    }
    case "socket-mark":
    case "mark":
      return one("match", `-m mark --mark ${hex(statement.mark)}`);
    case "icmp-error":
      return statement.family === family ? { any: [[...ICMP_ERRORS[family][statement.error]]] } : "never";
    case "known-flow":
      return one("match", "-m conntrack --ctstate RELATED,ESTABLISHED");
    case "output-interface":
      return { any: elementsOf(sets, statement.set, "ifname").map((name) => [outputFragment(name)]) };
    case "output-interface-name":
      return { any: [[outputFragment(statement.name)]] };
    case "original-direction":
      return one("match", "-m conntrack --ctdir ORIGINAL");
    case "remembered-flow":
      return statement.family === family ? isAnswer(statement, sets) : "never";
    case "remember-flow":
    case "tproxy":
    case "set-mark":
    case "notrack":
    case "reject":
    case "verdict":
    case "goto":
      return undefined;
    case "foreign-source":
    case "of-program":
    case "marked":
    case "mark-bits":
    case "new-flow":
    case "flow-bits":
    case "set-flow-bits":
    case "packet-length":
    case "proxy-runs":
    case "proxy-shows":
      throw cannotSay(statement.kind);
    default:
      return statement satisfies never;
  }
}

/** A rule without a condition that it needs would match everything. */
function cannotSay(kind: Statement["kind"]): OperationError {
  return new OperationError({
    operation: "write for iptables",
    object: kind,
    kernelText: "no rule of iptables says this yet",
    hint: "Set kernel.backend to netlink",
  });
}

function translatePorts(
  ranges: readonly PortRange[],
  protocols: readonly Protocol[],
): Fragment[][] {
  const lists: string[][] = [];
  let room = 0;
  for (const { first, last } of ranges) {
    const size = first === last ? 1 : 2;
    if (size > room) {
      lists.push([]);
      room = PORTS_PER_RULE;
    }
    lists.at(-1)!.push(first === last ? `${first}` : `${first}:${last}`);
    room -= size;
  }
  return protocols.flatMap((protocol) =>
    lists.map((ports): Fragment[] => [
      protocolFragment(protocol),
      { kind: "match", text: `-m multiport --dports ${ports.join(",")}` },
    ])
  );
}

/** The protocols that a rule speaks of; without a word about them, both come here. */
function protocolsOf(rule: readonly Statement[]): readonly Protocol[] {
  if (rule.some(({ kind }) => kind === "bare-syn")) return ["tcp"];
  return rule.find((statement) => statement.kind === "protocol")?.protocols ?? PROTOCOLS;
}

function translateAddresses(
  { side, set, family }: Extract<Statement, { kind: "address" }>,
  sets: readonly PlannedSet[],
): Match {
  const elements = elementsOf(sets, set, family === "ipv4" ? "ipv4_addr" : "ipv6_addr");
  const option = side === "source" ? "-s" : "-d";
  const prefixes = elements.flatMap(rangePrefixes);
  return {
    any: prefixes.map((prefix) => [{
      kind: side,
      // All addresses: iptables-save leaves that out.
      text: prefix.endsWith("/0") ? "" : `${option} ${prefix}`,
    }]),
  };
}

/** What is in a set of the plan. */
function elementsOf<T extends keyof ElementsByType>(
  sets: readonly PlannedSet[],
  name: string,
  _type: T,
): ElementsByType[T] {
  return sets.find((set) => set.name === name)!.elements as ElementsByType[T];
}

interface ElementsByType {
  ifname: readonly string[];
  ether_addr: readonly string[];
  inet_service: readonly PortRange[];
  ipv4_addr: readonly KeyRange[];
  ipv6_addr: readonly KeyRange[];
}

/** One of these types; or none of them. */
function addressTypes(types: readonly string[], negate: boolean): Match {
  const fragment = (type: string): Fragment => ({
    kind: "match",
    text: `-m addrtype ${negate ? "! " : ""}--dst-type ${type.toUpperCase()}`,
  });
  return { any: negate ? [types.map(fragment)] : types.map((type) => [fragment(type)]) };
}

function icmp(protocol: string, match: string): Fragment[] {
  return [{ kind: "protocol", text: `-p ${protocol}` }, { kind: "match", text: `-m ${match}` }];
}

function inputFragment(name: string): Fragment {
  return { kind: "input", text: `-i ${checkInterface(name)}` };
}

function outputFragment(name: string): Fragment {
  return { kind: "output", text: `-o ${checkInterface(name)}` };
}

function protocolFragment(protocol: Protocol): Fragment {
  return { kind: "protocol", text: `-p ${protocol}` };
}

/** iptables reads a trailing plus as a wildcard, and an exclamation mark as a negation. */
function checkInterface(name: string): string {
  if (/^[\w.:@-]+$/.test(name)) return name;
  throw new OperationError({
    operation: "write for iptables",
    object: name,
    reason: "it cannot express this name of an interface",
    hint: "Rename the interface, or set kernel.backend to netlink",
  });
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
