/**
 * Policy routing of other programs: routing rules and routes that are not of an install.
 * @module
 */
import { ifFamilyExists, readAllRules } from "../../kernel/routing/rules.ts";
import { deliversLocally, isDefault, isOurRule } from "../../kernel/routing/ours.ts";
import { FAMILIES } from "../../net/families.ts";
import type { Family } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { listRoutes } from "../../netlink/route/route.ts";
import type { RoutingRule } from "../../netlink/route/rule.ts";
import { formatAction, formatSelectors } from "../../netlink/route/rule_text.ts";

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

/** Tells who made an entry, as far as its protocol number tells. */
export function describeProtocol(protocol: number): string {
  return PROTOCOLS[protocol] ?? `made by a program with protocol number ${protocol}`;
}

/** Writes `"ipv4 priority 100: fwmark 0x1/0xff lookup 100"`. */
export function describeRule(rule: RoutingRule): string {
  return `"${rule.family} priority ${rule.priority}: ${formatSelectors(rule)} ${formatAction(rule)}"`;
}

/** A routing table that holds routes. */
export interface UsedTable {
  readonly family: Family;
  readonly table: number;
  /** Set where it delivers everything to this machine, as that of an install does. */
  readonly deliversLocally: boolean;
}

/** Policy routing of others. */
export interface RoutingFacts {
  /** The routing rules that no install made. */
  readonly rules: readonly RoutingRule[];
  /** The rules of an install. */
  readonly ours: readonly RoutingRule[];
  /** Each table once. One that is not here holds nothing: a rule that leads to it is passed over. */
  readonly tables: readonly UsedTable[];
}

/** Reads both families. */
export function readRouting(connection: NetlinkConnection): RoutingFacts {
  const rules = readAllRules(connection);
  return {
    rules: rules.filter((rule) => !isOurRule(rule)),
    ours: rules.filter(isOurRule),
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

/** Finds the table that a rule leads to, if it holds anything. */
export function tableOf({ family, table }: RoutingRule, { tables }: RoutingFacts): UsedTable | undefined {
  return tables.find((used) => used.family === family && used.table === table);
}
