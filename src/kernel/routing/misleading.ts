/**
 * Policy routing that a trial may not add: an entry there stands until somebody takes it away, and must have
 * no effect once the rules on trial have none.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import type { RoutingRule } from "../../netlink/route/rule.ts";
import { formatAction, formatSelectors } from "../../netlink/route/rule_text.ts";
import type { Plan } from "../plan/model.ts";
import { isForeignRule } from "./ours.ts";
import { readAllRules } from "./rules.ts";
import { type InstalledRouting, ruleEntry, toRoutingRule } from "./state.ts";

/**
 * Throws an OperationError where packets that another program marks or routes would come to this machine by
 * an entry that the plan adds.
 */
export function refuseMisleading(plan: Plan, installed: InstalledRouting, route: NetlinkConnection): void {
  const labels = installed.rules.map((rule) => ruleEntry(rule).label);
  const added = plan.routingRules.map(toRoutingRule).filter((rule) =>
    !labels.includes(ruleEntry(rule).label)
  );
  const tables = plan.routes.map(({ table }) => table)
    .filter((table) => !installed.routes.some((route) => route.table === table));
  for (const foreign of readAllRules(route).filter(isForeignRule)) {
    if (tables.includes(foreign.table)) throw misleading(foreign, "kernel.table");
    if (added.some((rule) => catches(rule, foreign))) throw misleading(foreign, "kernel.mark");
  }
}

/** Tells whether packets with the mark that the other rule asks for would meet ours. */
function catches(ours: RoutingRule, other: RoutingRule): boolean {
  return other.family === ours.family && other.inverted !== true &&
    (other.mark & other.mask & ours.mask) >>> 0 === ours.mark;
}

function misleading(rule: RoutingRule, key: "kernel.mark" | "kernel.table"): OperationError {
  return new OperationError({
    operation: "use option",
    object: "--confirm",
    reason: `another program uses what ${key} names (priority ${rule.priority}: ` +
      `${formatSelectors(rule) || "from all"} ${
        formatAction(rule)
      }), and no end of a trial would undo that by itself`,
    hint: `Set ${key} to what nobody uses`,
  });
}
