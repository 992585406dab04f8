/**
 * The kernel of this machine, to be changed or looked at.
 * @module
 */
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { openNetlink } from "../../netlink/transport.ts";
import { ifNfTables } from "./nf_tables.ts";

/** Reads a text file. Throws Deno's errors. */
export type ReadTextFile = (path: string) => string;

/** The kernel of this machine, in the network namespace of the calling thread. */
export interface Machine {
  /** rtnetlink. */
  readonly route: NetlinkConnection;
  /** nf_tables; undefined where the kernel has none. */
  readonly netfilter: NetlinkConnection | undefined;
  readonly readTextFile: ReadTextFile;
}

/**
 * Opens the kernel's parts, for as long as `work` takes: one without nf_tables may have no nfnetlink either.
 */
export async function withMachine<T>(
  readTextFile: ReadTextFile,
  work: (machine: Machine) => Promise<T>,
): Promise<T> {
  using route = openNetlink("route");
  const netfilter = ifNfTables(() => openNetlink("netfilter"), undefined);
  try {
    return await work({ route, netfilter, readTextFile });
  } finally {
    netfilter?.close();
  }
}
