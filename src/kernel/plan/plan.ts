/**
 * The config and the machine as a plan. Pure.
 * @module
 */
import type { Admission, Config } from "../../config/types.ts";
import { Marks } from "../../marks.ts";
import { OperationError } from "../../net/error.ts";
import { hex } from "../../net/hex.ts";
import { admissionOf } from "../../policy/admission.ts";
import { missingProcfs } from "../machine/procfs.ts";
import { chooseFamilies, warnForwarding } from "./families.ts";
import { planIntent } from "./intent.ts";
import { chooseInterfaces } from "./interfaces.ts";
import type { Plan } from "./model.ts";
import { planRoutes, planRoutingRules } from "./routing.ts";
import { chooseRulePriority, warnRulePriority } from "./rule_priority.ts";
import { makeScope } from "./scope.ts";
import type { NetworkView } from "./view.ts";

/** Tables of the kernel itself: 0 unspecified, 253 default, 254 main, 255 local. */
const RESERVED_TABLES: readonly number[] = [0, 253, 254, 255];

/**
 * Options of a plan: what the config file says that the config alone does not, and what is wanted of the
 * plan.
 */
export interface PlanOptions {
  /** The file names the families itself: one that this machine lacks is an error then, else a warning. */
  readonly familiesNamed?: boolean;
  /** Named interfaces need not be there yet. */
  readonly absentInterfaces?: boolean;
  /** The place at which this machine can take flows. Default: as config and backend say. */
  readonly admission?: Admission;
  /** Flows that a name may only end can be watched on this machine. Default: no, the proxy relays them. */
  readonly watching?: boolean;
  /** The same for UDP. */
  readonly watchingUdp?: boolean;
  /** Packets are brought to sockets, whatever the rules ask for: some may be there. */
  readonly bringing?: boolean;
}

/**
 * Plans what an install would do here. Throws an OperationError where it cannot be done; nothing is changed
 * by then.
 */
export function planInstall(config: Config, view: NetworkView, options: PlanOptions = {}): Plan {
  checkNumbers(config);
  // Neither IPv6 nor forwarding could be told.
  if (view.ipv6 === "unknown") throw missingProcfs();
  const { intercept } = config;
  const interfaces = chooseInterfaces(intercept.interfaces, view, {
    absent: options.absentInterfaces === true,
  });
  const chosen = chooseFamilies(intercept.families, view, options.familiesNamed === true);
  const { families } = chosen;
  const { lan, others } = interfaces;
  const priority = chooseRulePriority(view);
  const { scope, warnings } = makeScope(config, {
    families,
    lan,
    view,
    admission: options.admission ?? admissionOf(config),
    watching: options.watching === true,
    watchingUdp: options.watchingUdp === true,
    bringing: options.bringing === true,
  });
  return {
    intent: planIntent(scope),
    routingRules: planRoutingRules(scope, [...lan, ...others]).map((rule) => ({ ...rule, priority })),
    routes: planRoutes(scope, view.foreignRoutes),
    lan,
    others,
    families,
    warnings: [
      ...chosen.warnings,
      ...interfaces.warnings,
      ...warnForwarding(families, view, scope),
      ...warnRulePriority(view),
      ...warnings,
    ],
  };
}

function checkNumbers(config: Config): void {
  const { mark, table } = config.kernel;
  const { routerTraffic } = config.intercept;
  const largest = Marks.largest(routerTraffic);
  if (!Number.isInteger(mark) || mark <= 0 || mark > largest) {
    throw new OperationError({
      operation: "use kernel.mark",
      object: hex(mark),
      reason: `it must be 0x1 to ${hex(largest)}: ${
        routerTraffic ? "three" : "two"
      } bits above it are used as well`,
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
