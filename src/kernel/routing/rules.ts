/**
 * The routing rules of this machine.
 * @module
 */
import { EAFNOSUPPORT, EOPNOTSUPP } from "../../net/errno.ts";
import { OperationError } from "../../net/error.ts";
import { FAMILIES } from "../../net/families.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { listRules, type RoutingRule } from "../../netlink/route/rule.ts";

const NO_SUCH_FAMILY: readonly number[] = [EOPNOTSUPP, EAFNOSUPPORT];

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
