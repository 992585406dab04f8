/**
 * The sets that `intercept.router-traffic` needs. Pure.
 * @module
 */
import type { Config } from "../../../config/types.ts";
import { ALIVE_SECONDS } from "../../../constants.ts";
import { type Family, parsePrefix } from "../../../net/ip.ts";
import { prefixRange } from "../../../netlink/nft/sets/interval.ts";
import { comesFrom, type InterfaceGroup, leavesThrough, planInterfaceSet } from "../interface_match.ts";
import type { PlannedSet, Statement } from "../model.ts";
import { takesUdp } from "../statements.ts";

/** The set in which a running proxy shows itself. */
export const RUNNING_SET = "running";
const INNER_SET = "inner";
/** Ports of UDP that are spared. */
export const SPARED_PORTS_SET = "spared_ports";

/** RFC 3927, RFC 4291: what is addressed so is on the link, and nowhere else. */
const LINK_LOCAL: Readonly<Record<Family, string>> = { ipv4: "169.254.0.0/16", ipv6: "fe80::/10" };
/**
 * DHCP, on which the router's own addresses may depend; IKE, 500 and 4500; and the tunnels whose other end answers to this port, whatever
 * the packet's own is: VXLAN, 4789 and Linux' own 8472, Geneve, 6081. RFC 2131, 8415, 7296, 7348, 8926.
 */
const SPARED_PORTS = [[67, 68], [500, 500], [546, 547], [4500, 4500], [4789, 4789], [6081, 6081], [
  8472,
  8472,
]];

/** What the sets are made from, besides the config. */
export interface RouterSetOptions {
  readonly families: readonly Family[];
  /** Interfaces of clients through which no default route leads: what goes there goes to clients. */
  readonly inner: readonly string[];
}

/** The sets; none where the router's own traffic is not intercepted. */
export function planRouterSets(
  config: Config,
  { families, inner }: RouterSetOptions,
): PlannedSet[] {
  if (!config.intercept.routerTraffic) return [];
  return [
    {
      name: RUNNING_SET,
      type: "nf_proto",
      elements: [],
      timeoutSeconds: ALIVE_SECONDS,
      size: 2,
      reason: "Address families that a running proxy serves: it shows itself over and over",
    },
    ...groupOf(inner).flatMap((group) => planInterfaceSet(group, "Interfaces of clients alone")),
    ...(takesUdp(config)
      ? [
        {
          name: SPARED_PORTS_SET,
          type: "inet_service",
          elements: SPARED_PORTS.map(([first, last]) => ({ first, last })),
          reason: "UDP that no proxy may touch: DHCP, IPsec, VXLAN, Geneve",
        } as const,
      ]
      : []),
    ...families.map((family) => ({
      name: linkLocalSet(family),
      type: family === "ipv4" ? "ipv4_addr" : "ipv6_addr",
      elements: [prefixRange(parsePrefix(LINK_LOCAL[family])!)],
      reason: "Link-local addresses",
    } as const)),
  ];
}

/** What goes to clients. Through a lone interface, with clients and the default route behind it, everything goes. */
export function toInner(inner: readonly string[]): Statement[] {
  return groupOf(inner).map(leavesThrough);
}

/** What does not come from them. */
export function notFromInner(inner: readonly string[]): Statement[] {
  return groupOf(inner).map((group) => comesFrom(group, { negate: true }));
}

/** None, where no interface leads to clients alone. */
function groupOf(inner: readonly string[]): InterfaceGroup[] {
  return inner.length === 0 ? [] : [{ set: INNER_SET, names: inner }];
}

/** The set of the link-local addresses of a family. */
export function linkLocalSet(family: Family): string {
  return `link_local_${family}`;
}
