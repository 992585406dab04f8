/**
 * Other users of our fwmark and routing table: routing rules and routes that are not of an install.
 * @module
 */
import { ROUTE_PROTOCOL, RULE_PRIORITY } from "../../constants.ts";
import type { Family } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { listRules, type RoutingRule } from "../../netlink/route/rule.ts";
import { ifFamilyExists } from "../routing_state.ts";
import { type Finding, warning, works } from "./finding.ts";
import { overlaps, type Situation } from "./situation.ts";

/** linux/rtnetlink.h: RTPROT_*, in words. */
const PROTOCOLS: Readonly<Record<number, string>> = {
  0: "made by a program that does not tell its name, such as ip(8)",
  2: "made by the kernel",
  3: "made with ip(8), by hand or by a script",
  4: "made by the network configuration (static)",
  11: "made by Zebra or FRR",
  12: "made by BIRD",
  16: "made by a DHCP client",
  18: "made by keepalived",
};

/** Who made an entry, as far as its protocol number tells. */
export function describeProtocol(protocol: number): string {
  return PROTOCOLS[protocol] ?? `made by a program with protocol number ${protocol}`;
}

/** `ipv4 priority 100: fwmark 0x1/0xff lookup 100`. */
export function describeRule(rule: RoutingRule): string {
  const mask = rule.mask === 0xffffffff ? "" : `/0x${rule.mask.toString(16)}`;
  const iif = rule.iifname === undefined ? "" : ` iif ${rule.iifname}`;
  const not = rule.inverted ? "not " : "";
  return `"${rule.family} priority ${rule.priority}: ${not}fwmark 0x${rule.mark.toString(16)}${mask}${iif} ` +
    `lookup ${rule.table}"`;
}

/** The routing rules that no install made. */
export function readForeignRules(connection: NetlinkConnection): RoutingRule[] {
  return (["ipv4", "ipv6"] as const).flatMap((family) => ifFamilyExists(() => listRules(connection, family)))
    .filter((rule) => rule.protocol !== ROUTE_PROTOCOL || rule.priority !== RULE_PRIORITY);
}

/** Findings for the mark and for the table. */
export function judgeMarkUsers(rules: readonly RoutingRule[], situation: Situation): Finding[] {
  return [...judgeMark(rules, situation), ...judgeTable(situation)];
}

function judgeMark(rules: readonly RoutingRule[], situation: Situation): Finding[] {
  const { mark, table } = situation.config.kernel;
  const id = "mark-users";
  const shown = `0x${mark.toString(16)}`;
  const users = rules.filter((rule) =>
    situation.families.includes(rule.family) && rule.inverted !== true && overlaps(rule, mark)
  );
  if (users.length === 0) return [works(id, `fwmark ${shown}: no other routing rule asks for it`)];
  return users.map((rule) => {
    const first = rule.priority < RULE_PRIORITY && takes(rule, situation) && rule.table !== table;
    return warning(id, {
      what: `fwmark ${shown}: the routing rule ${describeRule(rule)}`,
      blocks: first,
      cause: first
        ? `It comes before the rules of an install and leads intercepted packets elsewhere; ${
          describeProtocol(rule.protocol)
        }`
        : `Another program uses the mark; ${
          describeProtocol(rule.protocol)
        }. What it marks on an intercepted ` +
          "interface is delivered to this machine, and what is intercepted it may take for its own",
      remedy: `Set kernel.mark in the config to a bit that nobody uses, or ${describeRemoval(rule)}`,
    });
  });
}

/** Whether packets that an install delivers come to the rule: by their interface. */
function takes({ iifname, action }: RoutingRule, { lan, others }: Situation): boolean {
  return action === undefined && (iifname === undefined || [...lan, ...others].includes(iifname));
}

function describeRemoval({ family, priority }: RoutingRule): string {
  return `remove that rule (ip ${family === "ipv6" ? "-6 " : ""}rule del priority ${priority})`;
}

/** A route that does what ours would is used as it is; one that does something else refuses the install. */
function judgeTable({ view, config, families }: Situation): Finding[] {
  const { table } = config.kernel;
  const id = "table-users";
  const routes = view.foreignRoutes.filter(({ family }) => families.includes(family));
  if (routes.length === 0) return [works(id, `routing table ${table}: nobody else has a route in it`)];
  return routes.map(({ family, destination, protocol, deliversLocally }) =>
    warning(id, {
      what: `routing table ${table}: ${family} route to ${destination}`,
      blocks: !deliversLocally,
      cause: deliversLocally
        ? `Another program made it, and an install relies on it; ${
          describeProtocol(protocol)
        }. When it goes, ` +
          "nothing is intercepted any more"
        : `Another program uses the table; ${describeProtocol(protocol)}`,
      remedy: `Set kernel.table in the config to a number that nobody uses (see "ip ${
        dashSix(family)
      }route show table ${table}")`,
    })
  );
}

function dashSix(family: Family): string {
  return family === "ipv6" ? "-6 " : "";
}
