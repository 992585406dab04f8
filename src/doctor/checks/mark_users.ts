/**
 * Other users of our fwmark and routing table: routing rules and routes that are not of an install.
 * @module
 */
import { ROUTE_PROTOCOL, RULE_PRIORITY } from "../../constants.ts";
import { Marks } from "../../marks.ts";
import { FAMILIES } from "../../net/families.ts";
import { hex } from "../../net/hex.ts";
import type { Family } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { listRules, type RoutingRule } from "../../netlink/route/rule.ts";
import { listRoutes } from "../../netlink/route/route.ts";
import { RULE_ACTIONS } from "../../netlink/route/rule_action.ts";
import { isNarrow } from "../../netlink/route/rule_selectors.ts";
import { formatAction, formatSelectors } from "../../netlink/route/rule_text.ts";
import { deliversLocally, ifFamilyExists, isDefault } from "../../kernel/routing/state.ts";
import { type Finding, warning, works } from "../finding.ts";
import { overlaps, type Situation } from "../situation.ts";

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
  return `"${rule.family} priority ${rule.priority}: ${formatSelectors(rule)} ${formatAction(rule)}"`;
}

/** A routing table that holds routes. */
export interface UsedTable {
  readonly family: Family;
  readonly table: number;
  /** It delivers everything to this machine, as that of an install does. */
  readonly deliversLocally: boolean;
}

/** How packets are led by others. */
export interface MarkFacts {
  /** The routing rules that no install made. */
  readonly rules: readonly RoutingRule[];
  /** Each table once. One that is not here holds nothing: a rule that leads to it is passed over. */
  readonly tables: readonly UsedTable[];
}

/** Reads both families. */
export function readMarkUsers(connection: NetlinkConnection): MarkFacts {
  return {
    rules: FAMILIES.flatMap((family) => ifFamilyExists(() => listRules(connection, family)))
      .filter((rule) => rule.protocol !== ROUTE_PROTOCOL || rule.priority !== RULE_PRIORITY),
    tables: FAMILIES.flatMap((family) => {
      const routes = ifFamilyExists(() => listRoutes(connection, { family }));
      return [...new Set(routes.map(({ table }) => table))].map((table) => ({
        family,
        table,
        deliversLocally: routes.some((route) =>
          route.table === table && deliversLocally(route) && isDefault(route)
        ),
      }));
    }),
  };
}

/** The table that a rule leads to, if it holds anything. */
export function tableOf({ family, table }: RoutingRule, { tables }: MarkFacts): UsedTable | undefined {
  return tables.find((used) => used.family === family && used.table === table);
}

/** Findings for the mark and for the table. */
export function judgeMarkUsers(facts: MarkFacts, situation: Situation): Finding[] {
  return [...judgeMark(facts, situation), ...judgeTable(situation)];
}

function judgeMark(facts: MarkFacts, situation: Situation): Finding[] {
  const { intercepted, router, serverSocket } = new Marks(situation.config.kernel.mark);
  const { routerTraffic } = situation.config.intercept;
  const marks = routerTraffic ? [intercepted, serverSocket, router] : [intercepted];
  const id = "mark-users";
  const shown = hex(routerTraffic ? router : intercepted);
  const users = facts.rules.filter((rule) =>
    situation.families.includes(rule.family) && rule.inverted !== true &&
    marks.some((ours) => overlaps(rule, ours))
  );
  if (users.length === 0) return [works(id, `fwmark ${shown}: no other routing rule asks for it`)];
  return users.map((rule) => {
    const away = rule.priority < RULE_PRIORITY && takes(rule, situation) ? takesAway(rule, facts) : undefined;
    const isForSome = isNarrow(rule) || rule.suppressPrefixLength !== undefined ||
      rule.suppressInterfaceGroup !== undefined;
    return warning(id, {
      what: `fwmark ${shown}: the routing rule ${describeRule(rule)}`,
      blocks: away !== undefined && !isForSome,
      cause: away !== undefined
        ? `It comes before the rules of an install and ${away}${
          isForSome ? ", as far as they come under it" : ""
        }; ${describeProtocol(rule.protocol)}`
        : `Another program uses the mark; ${
          describeProtocol(rule.protocol)
        }. What it marks on an intercepted ` +
          "interface is delivered to this machine, and what is intercepted it may take for its own",
      remedy: `Set kernel.mark in the config to a bit that nobody uses, or ${describeRemoval(rule)}`,
    });
  });
}

/** Whether packets that an install delivers come to the rule: by their interface. */
function takes({ iifname }: RoutingRule, { lan, others }: Situation): boolean {
  return iifname === undefined || [...lan, ...others].includes(iifname);
}

/** Says how a rule before those of an install keeps packets from them; undefined where it does not. */
function takesAway(rule: RoutingRule, facts: MarkFacts): string | undefined {
  const elsewhere = "leads intercepted packets elsewhere";
  switch (rule.action) {
    case undefined:
      return tableOf(rule, facts)?.deliversLocally === false ? elsewhere : undefined;
    case RULE_ACTIONS.goto:
      return (rule.goto ?? 0) > RULE_PRIORITY ? elsewhere : undefined;
    case RULE_ACTIONS.blackhole:
    case RULE_ACTIONS.unreachable:
    case RULE_ACTIONS.prohibit:
      return "drops intercepted packets";
    default: // nop, and what a newer kernel may add
      return undefined;
  }
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
