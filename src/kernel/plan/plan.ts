/**
 * The config and the machine as a plan. Pure.
 * @module
 */
import type { Config } from "../../config/types.ts";
import { LOOPBACK, ROUTE_PROTOCOL, RULE_PRIORITY } from "../../constants.ts";
import { OperationError } from "../../net/error.ts";
import type { Family } from "../../net/ip.ts";
import { chooseInterfaces } from "./interfaces.ts";
import { warnLongLists } from "../iptables/compile/warnings.ts";
import type { Plan, PlannedRoute, PlannedRoutingRule } from "./model.ts";
import { planPolicy } from "./rule_matches.ts";
import { missingProcfs } from "../procfs.ts";
import { routerMark, socketMark, upstreamMark } from "./statements.ts";
import { planTable } from "./table.ts";
import type { NetworkView } from "./view.ts";

/** Tables of the kernel itself: 0 unspecified, 253 default, 254 main, 255 local. */
const RESERVED_TABLES: readonly number[] = [0, 253, 254, 255];

/** What the config file says that the config alone does not, and what is wanted of the plan. */
export interface PlanOptions {
  /** The file names the families itself: one that this machine lacks is an error then, else a warning. */
  readonly familiesNamed?: boolean;
  /** Named interfaces need not be there yet. */
  readonly absentInterfaces?: boolean;
}

/** What an install would do here. Throws an OperationError where it cannot be done; nothing is changed by then. */
export function planInstall(config: Config, view: NetworkView, options: PlanOptions = {}): Plan {
  checkNumbers(config);
  // Neither IPv6 nor forwarding could be told.
  if (view.ipv6 === "unknown") throw missingProcfs();
  const interfaces = chooseInterfaces(config.intercept.interfaces, view, {
    absent: options.absentInterfaces === true,
  });
  const { families, warnings } = chooseFamilies(config, view, options.familiesNamed === true);
  const { lan } = interfaces;
  const policy = planPolicy(config, { lan, families });
  const everywhere = [...lan, ...interfaces.others];
  return {
    table: planTable(config, {
      lan,
      inner: lan.filter((name) => !view.defaultRouteLinks.includes(name)),
      families,
      policy,
    }),
    routingRules: families.flatMap((family) => [
      ...everywhere.map((name) => planRoutingRule(config, family, name)),
      ...planLoopbackRule(config, family),
    ]),
    routes: families.map((family) => planRoute(config, family, view)),
    lan,
    others: interfaces.others,
    families,
    warnings: [
      ...warnings,
      ...interfaces.warnings,
      ...warnForwarding(families, view),
      ...policy.warnings,
      ...(config.kernel.backend === "iptables" ? warnLongLists(policy.sets) : []),
    ],
  };
}

function checkNumbers(config: Config): void {
  const { mark, table } = config.kernel;
  const { routerTraffic } = config.intercept;
  const highest = routerTraffic ? upstreamMark(mark) : socketMark(mark);
  if (!Number.isInteger(mark) || mark <= 0 || highest > 0xffffffff) {
    throw new OperationError({
      operation: "use kernel.mark",
      object: `0x${mark.toString(16)}`,
      reason: routerTraffic
        ? "it must be 0x1 to 0x1fffffff: three bits above it are used as well"
        : "it must be 0x1 to 0x3fffffff: two bits above it are used as well",
      usage: true,
    });
  }
  if (!Number.isInteger(table) || RESERVED_TABLES.includes(table) || table < 0 || table > 0xffffffff) {
    throw new OperationError({
      operation: "use kernel.table",
      object: String(table),
      reason: "the tables 0, 253, 254 and 255 are the kernel's own",
      hint: "Choose another number from 1 to 4294967295",
      usage: true,
    });
  }
}

/** By default IPv6 is intercepted where there is any; what the file asks for by name must be possible. */
function chooseFamilies(
  config: Config,
  view: NetworkView,
  named: boolean,
): { families: Family[]; warnings: string[] } {
  const wanted = config.intercept.families;
  if (!wanted.includes("ipv6") || view.ipv6 === "on") return { families: [...wanted], warnings: [] };
  const why = view.ipv6 === "off"
    ? "IPv6 is disabled on this machine (net.ipv6.conf.lo.disable_ipv6 = 1)"
    : "this kernel has no IPv6";
  if (!named && wanted.includes("ipv4")) {
    return { families: ["ipv4"], warnings: [`Only IPv4 is intercepted: ${why}`] };
  }
  throw new OperationError({
    operation: "intercept",
    object: "ipv6",
    reason: why,
    hint: view.ipv6 === "off"
      ? "Enable it with sysctl net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.lo.disable_ipv6=0, or set intercept.families to [ipv4]"
      : "Set intercept.families to [ipv4]",
  });
}

function planRoutingRule(config: Config, family: Family, inputInterface: string): PlannedRoutingRule {
  const { mark, table } = config.kernel;
  return {
    family,
    priority: RULE_PRIORITY,
    mark,
    mask: mark,
    inputInterface,
    table,
    protocol: ROUTE_PROTOCOL,
  };
}

/** The router's own traffic has a mark of its own: with that of clients, `src_valid_mark` would take these for the router itself. */
function planLoopbackRule(config: Config, family: Family): PlannedRoutingRule[] {
  if (!config.intercept.routerTraffic) return [];
  const mark = routerMark(config.kernel.mark);
  return [{ ...planRoutingRule(config, family, LOOPBACK), mark, mask: mark }];
}

function planRoute(config: Config, family: Family, view: NetworkView): PlannedRoute {
  const { table } = config.kernel;
  const foreign = view.foreignRoutes.filter((route) => route.family === family);
  const conflict = foreign.find((route) => !route.deliversLocally);
  if (conflict !== undefined) {
    throw new OperationError({
      operation: "use routing table",
      object: String(table),
      reason: `another program has a route to ${conflict.destination} in it (protocol ${conflict.protocol})`,
      hint: `See "ip ${family === "ipv6" ? "-6 " : ""}route show table ${table}" and set kernel.table ` +
        "in the config to a number that nobody uses",
    });
  }
  const same = foreign.some((route) => route.destination === "default");
  return { family, table, protocol: ROUTE_PROTOCOL, foreign: same };
}

function warnForwarding(families: readonly Family[], view: NetworkView): string[] {
  const names: Record<Family, string> = {
    ipv4: "net.ipv4.ip_forward",
    ipv6: "net.ipv6.conf.all.forwarding",
  };
  return families.filter((family) => !view.forwarding[family])
    .map((family) => `${names[family]} is 0: this machine does not forward what is not intercepted`);
}
