/**
 * All probes of the kernel, in the network namespace of the calling thread.
 * @module
 */
import { check, OperationError } from "../../net/error.ts";
import type { Family } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { listLinks, setLinkUp } from "../../netlink/route/link.ts";
import type { XtablesExtension } from "../../netlink/nft/compat.ts";
import type { CompiledTable } from "../../kernel/nft/model.ts";
import { attempt, type ProbeResult } from "./probe.ts";
import { probeNft } from "./probe_nft.ts";
import { probeRouting } from "./probe_routing.ts";
import { probeCompat, probeLegacy } from "./probe_xtables.ts";
import type { XtablesNeeds } from "./xtables_parts.ts";

/** The way to the kernel; tests have one that lacks things. */
export interface ProbeTools {
  openNetlink(protocol: "route" | "netfilter"): NetlinkConnection;
  /** Makes a socket with a foreign address, and closes it. 0 or -errno. */
  tryTransparent(family: Family): number;
  /** Makes the socket through which UDP answers leave, and closes it. 0 or -errno. */
  tryRawUdp(family: Family): number;
  /** Asks ip_tables for an extension; 0 or -errno. Without it, the kernel is asked. */
  askLegacy?(extension: XtablesExtension): number;
}

/** The trials to make. Plain data. */
export interface ProbeOrder {
  readonly families: readonly Family[];
  /** Matches and targets of iptables. */
  readonly xtables: XtablesNeeds;
  /** The table of the config, to be tried whole; only in a namespace of its own. */
  readonly table?: CompiledTable;
  /** Set where the namespace is one of its own, where everything may be changed. */
  readonly own: boolean;
}

/** Tries everything; what does not work is a result, not an error. */
export function probeKernel(order: ProbeOrder, tools: ProbeTools): ProbeResult[] {
  const { families } = order;
  return [
    ...probeNetfilter(order, tools),
    ...probeLegacy(families, order.xtables, tools.askLegacy),
    ...probePolicyRouting(order, tools),
    ...families.map((family) =>
      attempt(`raw-udp-${family}`, () => void check(tools.tryRawUdp(family), "make a raw socket", family))
    ),
    ...families.map((family) =>
      attempt(
        `ip-transparent-${family}`,
        () => void check(tools.tryTransparent(family), "make a transparent socket", family),
      )
    ),
  ];
}

function probeNetfilter(order: ProbeOrder, tools: ProbeTools): ProbeResult[] {
  try {
    using connection = tools.openNetlink("netfilter");
    const { families, own, table } = order;
    const whole = own && table !== undefined ? { table } : {};
    return [
      ...probeNft(connection, { families, tableName: `tproxy_doctor_${randomNumber()}`, ...whole }),
      ...probeCompat(connection, families, order.xtables),
    ];
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return [{ id: "nf-tables", works: false, errno: error.errno, detail: error.message }];
  }
}

function probePolicyRouting({ families, own }: ProbeOrder, tools: ProbeTools): ProbeResult[] {
  using connection = tools.openNetlink("route");
  if (own) raiseLoopback(connection);
  return families.map((family) =>
    probeRouting(connection, { family, mark: randomNumber(), table: randomNumber() })
  );
}

/** A new namespace has it down, and then the kernel takes no IPv6 route to it. */
function raiseLoopback(connection: NetlinkConnection): void {
  const loopback = listLinks(connection).find((link) => link.loopback);
  try {
    if (loopback !== undefined) setLinkUp(connection, loopback.index);
  } catch (error) {
    // Where that is not permitted, what follows is not either, and says so.
    if (!(error instanceof OperationError)) throw error;
  }
}

/** A number that nobody uses: from 2^30 to 2^31. */
function randomNumber(): number {
  return 0x40000000 + Math.floor(Math.random() * 0x40000000);
}
