/**
 * Flow tables: what rules put into them is forwarded at the devices' ingress, past all other rules.
 * @module
 */
import type { NetlinkConnection } from "../connection.ts";
import { EACCES, EINVAL, EOPNOTSUPP, EPERM } from "../../net/errno.ts";
import { OperationError } from "../../net/error.ts";
import { dumpObjects } from "./dump.ts";

/** Answers of kernels that have none, and to those who may not ask. */
const NONE: readonly number[] = [EINVAL, EOPNOTSUPP, EPERM, EACCES];

/** Tells whether any table has one. Throws an OperationError. */
export function hasFlowTables(connection: NetlinkConnection): boolean {
  try {
    return dumpObjects(connection, "flowtable", { family: undefined, object: "all" }).length > 0;
  } catch (error) {
    if (error instanceof OperationError && NONE.includes(error.errno)) return false;
    throw error;
  }
}
