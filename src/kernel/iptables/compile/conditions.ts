/**
 * The conditions of planned rules in the words of iptables. Pure.
 * @module
 */
import type { PortRange, Protocol } from "../../../config/types.ts";
import { OperationError } from "../../../net/error.ts";
import { hex } from "../../../net/hex.ts";
import type { Family } from "../../../net/ip.ts";
import type { Condition } from "../../plan/rules/condition.ts";
import type { PlannedSet } from "../../plan/rules/set.ts";
import { cannotSay, type Fragment, type Match, matchOne } from "./fragment.ts";
import { elementsOf, portLists, rangePrefixes } from "./lists.ts";

const PROTOCOLS: readonly Protocol[] = ["tcp", "udp"];

/** The type, or type and code: RFC 792, RFC 4443. */
const ICMP_ERRORS: Readonly<Record<Family, Record<"too-big" | "unreachable", readonly Fragment[]>>> = {
  ipv4: { "too-big": icmp("icmp", "icmp --icmp-type 3/4"), unreachable: icmp("icmp", "icmp --icmp-type 3") },
  ipv6: {
    "too-big": icmp("ipv6-icmp", "icmp6 --icmpv6-type 2"),
    unreachable: icmp("ipv6-icmp", "icmp6 --icmpv6-type 1"),
  },
};

/** The family that rules are for, and the sets of the plan, which iptables does not have. */
export interface MatchContext {
  readonly family: Family;
  readonly sets: readonly PlannedSet[];
}

/** Translates the conditions of a rule; null: no packet of this family can meet them. */
export function translateConditions(
  conditions: readonly Condition[],
  context: MatchContext,
): Match[] | null {
  const matches: Match[] = [];
  for (const condition of conditions) {
    const match = translate(condition, conditions, context);
    if (match === "never") return null;
    if (match !== "always") matches.push(match);
  }
  return matches;
}

/**
 * Translates one condition. `always`: it holds for the whole family, or another match of the rule says it.
 */
function translate(
  condition: Condition,
  rule: readonly Condition[],
  { family, sets }: MatchContext,
): Match | "always" | "never" {
  switch (condition.kind) {
    case "family":
      return condition.family === family ? "always" : "never";
    case "input-interface": {
      const names = elementsOf(sets, condition.set, "ifname");
      return { any: names.map((name) => [inputFragment(name)]), negate: condition.negate };
    }
    case "input-interface-name":
      return { any: [[inputFragment(condition.name)]], negate: condition.negate };
    case "output-interface":
      return { any: elementsOf(sets, condition.set, "ifname").map((name) => [outputFragment(name)]) };
    case "output-interface-name":
      return { any: [[outputFragment(condition.name)]] };
    case "protocol":
      // Ports need their protocol in the same rule.
      if (rule.some(({ kind }) => kind === "destination-port")) return "always";
      return { any: condition.protocols.map((protocol) => [protocolFragment(protocol)]) };
    case "bare-syn":
      return {
        any: [[protocolFragment("tcp"), {
          kind: "match",
          text: "-m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
        }]],
      };
    case "destination-port":
      return {
        any: translatePorts(elementsOf(sets, condition.set, "inet_service"), protocolsOf(rule)),
        negate: condition.negate,
      };
    case "address":
      return condition.family === family ? translateAddresses(condition, sets) : "never";
    case "hardware-address":
      return {
        any: elementsOf(sets, condition.set, "ether_addr")
          .map((address): Fragment[] => [{ kind: "match", text: `-m mac --mac-source ${address}` }]),
      };
    case "destination-type": {
      if (family === "ipv4") return addressTypes([condition.types.join(",")], condition.negate);
      // IPv6 has no broadcast, and of several types in one match all would have to be those of the address.
      return addressTypes(condition.types.filter((type) => type !== "broadcast"), condition.negate);
    }
    case "transparent-socket": {
      // The mark of the socket becomes that of the packet, where the next condition looks at it.
      const restore = rule.some(({ kind }) => kind === "socket-mark") ? " --restore-skmark" : "";
      return matchOne("match", `-m socket --transparent${restore}`);
    }
    case "socket-mark":
    case "mark":
      return matchOne("match", `-m mark --mark ${hex(condition.mark)}`);
    case "icmp-error":
      return condition.family === family ? { any: [[...ICMP_ERRORS[family][condition.error]]] } : "never";
    case "known-flow":
      return matchOne("match", "-m conntrack --ctstate RELATED,ESTABLISHED");
    case "original-direction":
      return matchOne("match", "-m conntrack --ctdir ORIGINAL");
    case "remembered-flow":
      // Its lists hold no flows. For answers flows.ts has something else.
      return "never";
    case "foreign-source":
    case "of-program":
    case "marked":
    case "mark-bits":
    case "new-flow":
    case "flow-bits":
    case "packet-length":
    case "proxy-runs":
    case "no-bare-syn":
    case "acknowledges":
    case "resets-alone":
    case "tcp-option":
    case "flow-label":
    case "carries-data":
    case "wildcard-socket":
    case "connected-socket":
    case "priority":
    case "ttl":
    case "zone":
    case "unknown-flow":
    case "untracked":
    case "related-flow":
    case "helped-flow":
    case "translated-flow":
    case "redirected-flow":
    case "marked-flow":
    case "original-flow":
    case "source-port-share":
      throw cannotSay(condition.kind);
    default:
      return condition satisfies never;
  }
}

function translatePorts(ranges: readonly PortRange[], protocols: readonly Protocol[]): Fragment[][] {
  const lists = portLists(ranges);
  return protocols.flatMap((protocol) =>
    lists.map((ports): Fragment[] => [
      protocolFragment(protocol),
      { kind: "match", text: `-m multiport --dports ${ports}` },
    ])
  );
}

/** Finds the protocols that a rule speaks of; without a word about them, both come here. */
function protocolsOf(rule: readonly Condition[]): readonly Protocol[] {
  if (rule.some(({ kind }) => kind === "bare-syn")) return ["tcp"];
  return rule.find((condition) => condition.kind === "protocol")?.protocols ?? PROTOCOLS;
}

function translateAddresses(
  { side, set, family }: Extract<Condition, { kind: "address" }>,
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

/** Asks for one of these types; or for none of them. */
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
