/**
 * Reading nf_tables on a kernel that may have none. Pure.
 * @module
 */
import { EINVAL, EOPNOTSUPP, EPROTONOSUPPORT } from "../../net/errno.ts";
import { OperationError } from "../../net/error.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { listTables } from "../../netlink/nft/table.ts";

/** Errors of a kernel without nf_tables, or without nfnetlink. */
const ABSENT: readonly number[] = [EINVAL, EPROTONOSUPPORT, EOPNOTSUPP];

/** Reads; returns `otherwise` where the kernel has no nf_tables, and so nothing of ours there. */
export function ifNfTables<T, U>(read: () => T, otherwise: U): T | U {
  try {
    return read();
  } catch (error) {
    if (error instanceof OperationError && ABSENT.includes(error.errno)) return otherwise;
    throw error;
  }
}

/** Tells whether this kernel has nf_tables. */
export function hasNfTables(netfilter: NetlinkConnection | undefined): boolean {
  return netfilter !== undefined && ifNfTables(() => listTables(netfilter, "inet") !== undefined, false);
}
