/**
 * Packets that have to be brought to sockets of this machine, whatever the config says now: a running proxy
 * relays flows that a config before has given it, and they go on.
 * @module
 */
import { LIVE_TABLE_NAME, TABLE_NAME } from "../constants.ts";
import { EACCES, EINVAL, EOPNOTSUPP, EPERM } from "../net/errno.ts";
import { OperationError } from "../net/error.ts";
import { listChains } from "../netlink/nft/chain.ts";
import { openNetlink } from "../netlink/transport.ts";
import type { AdmissionInForce } from "./admission.ts";
import { LATE_CHAIN } from "./plan/concerns/forward_path/late.ts";
import { INJECTED_CHAIN } from "./plan/live/refusals.ts";

/** Answers of kernels without nf_tables, and to those who may not ask. */
const UNTOLD: readonly number[] = [EINVAL, EOPNOTSUPP, EPERM, EACCES];

/**
 * Tells whether a running proxy may have such flows; with `installed` also whether the rules of an install
 * are for such: they stay as they are until somebody installs anew.
 */
export function readBringing(
  { inForce }: Pick<AdmissionInForce, "inForce">,
  { installed }: { readonly installed: boolean },
): boolean {
  if (inForce === "early") return false; // its rules do in any case
  try {
    using connection = openNetlink("netfilter");
    const has = (table: string, chain: string) =>
      listChains(connection, { family: "inet", name: table }).some(({ name }) => name === chain);
    return has(LIVE_TABLE_NAME, INJECTED_CHAIN) || (installed && has(TABLE_NAME, LATE_CHAIN));
  } catch (error) {
    if (error instanceof OperationError && UNTOLD.includes(error.errno)) return false;
    throw error;
  }
}
