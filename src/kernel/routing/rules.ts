/**
 * The routing rules of this machine, and whose they are. Ours are known by protocol number and form, whatever
 * the config says now.
 * @module
 */
import { ROUTE_PROTOCOL, RULE_PRIORITY } from "../../constants.ts";
import { EAFNOSUPPORT, EOPNOTSUPP } from "../../net/errno.ts";
import { OperationError } from "../../net/error.ts";
import { FAMILIES } from "../../net/families.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { isNarrow } from "../../netlink/route/rule_selectors.ts";
import { listRules, type RoutingRule } from "../../netlink/route/rule.ts";

const NO_SUCH_FAMILY: readonly number[] = [EOPNOTSUPP, EAFNOSUPPORT];
/** The kernel's own: priority and table. */
const KERNEL_RULES: ReadonlyMap<number, number> = new Map([[0, 255], [32766, 254], [32767, 253]]);

/** The rules of all families, in the order of evaluation. */
export function readAllRules(connection: NetlinkConnection): RoutingRule[] {
  return FAMILIES.flatMap((family) => ifFamilyExists(() => listRules(connection, family)));
}

/** A kernel without IPv6 has nothing of ours there. */
export function ifFamilyExists<T>(list: () => T[]): T[] {
  try {
    return list();
  } catch (error) {
    if (error instanceof OperationError && NO_SUCH_FAMILY.includes(error.errno)) return [];
    throw error;
  }
}

/** Tells whether an install made the rule, or a running proxy. */
export function isOurRule(rule: RoutingRule): boolean {
  return rule.protocol === ROUTE_PROTOCOL && rule.priority <= RULE_PRIORITY;
}

/** Tells whether the rule pins what a running proxy dials: see dataplane/routes. */
export function isPin(rule: RoutingRule): boolean {
  return isOurRule(rule) && rule.oifname !== undefined;
}

/** Tells whether the rule is one of those that every machine has. */
export function isKernelRule(rule: RoutingRule): boolean {
  return KERNEL_RULES.get(rule.priority) === rule.table && isForAll(rule);
}

function isForAll(rule: RoutingRule): boolean {
  return rule.mark === 0 && rule.mask === 0 && rule.iifname === undefined && rule.inverted !== true &&
    rule.suppressPrefixLength === undefined && !isNarrow(rule);
}
