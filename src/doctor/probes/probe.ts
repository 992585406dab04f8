/**
 * Trying something on the kernel. Results are plain data, for they come from another thread.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import type { Family } from "../../net/ip.ts";
import type { XtablesPartName } from "./xtables_parts.ts";

/** A trial. Of the two ways to xtables, `nft` is that of iptables-nft, `legacy` that of iptables-legacy. */
export type ProbeId =
  | "nf-tables"
  | "nft-socket"
  | `nft-tproxy-${Family}`
  | "nft-fib"
  | "nft-notrack"
  | "nft-reject"
  | "nft-ct-mark"
  | "nft-table"
  | `policy-routing-${Family}`
  | `ip-transparent-${Family}`
  | `raw-udp-${Family}`
  | `xt-${XtablesPartName}-${Family}/${"nft" | "legacy"}`;

/** The end of a trial. */
export interface ProbeResult {
  readonly id: ProbeId;
  readonly works: boolean;
  /** The kernel's error number; 0 where it works, or does something else than it should. */
  readonly errno: number;
  /** The error message; empty where it works. */
  readonly detail: string;
}

/** Tries `work`, which throws OperationErrors. */
export function attempt(id: ProbeId, work: () => void): ProbeResult {
  try {
    work();
    return { id, works: true, errno: 0, detail: "" };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { id, works: false, errno: error.errno, detail: error.message };
  }
}
