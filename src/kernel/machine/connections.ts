/**
 * The two netlink sockets of every change: rtnetlink and nf_tables.
 * @module
 */
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { openNetlink } from "../../netlink/transport.ts";

/** Both of them. */
export interface KernelConnections {
  /** rtnetlink. */
  readonly route: NetlinkConnection;
  /** nf_tables. */
  readonly netfilter: NetlinkConnection;
}

/** Opens both, in the network namespace of the calling thread, for as long as `work` takes. */
export function withKernel<T>(work: (connections: KernelConnections) => T): T {
  using route = openNetlink("route");
  using netfilter = openNetlink("netfilter");
  return work({ route, netfilter });
}
