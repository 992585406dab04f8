/**
 * Reads the machine for a plan: interfaces, routes, a few sysctls. Needs no privilege.
 * @module
 */
import { formatPrefix } from "../net/ip.ts";
import type { NetlinkConnection } from "../netlink/connection.ts";
import { type Link, listLinks } from "../netlink/route/link.ts";
import type { Route } from "../netlink/route/route.ts";
import { readAllRoutes } from "./routing/routes.ts";
import { readAllRules } from "./routing/rules.ts";
import { deliversLocally, firstForeignRule, isDefault, isOurRoute } from "./routing/ours.ts";
import { hasProcfs } from "./machine/procfs.ts";
import { routeLeadsUpstream } from "./routing/upstream.ts";
import type { NetworkView, ViewedLink } from "./plan/view.ts";

/** Flags of br_netfilter, of all bridges and of one. */
const FAMILY_FLAGS = [
  { all: "bridge-nf-call-iptables", own: "nf_call_iptables" },
  { all: "bridge-nf-call-ip6tables", own: "nf_call_ip6tables" },
] as const;

/** The sources to read. */
export interface NetworkSource {
  /** To rtnetlink. */
  readonly connection: NetlinkConnection;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
}

/** The machine as a plan sees it; `table` is the routing table that the config names. */
export function readNetwork({ connection, readTextFile }: NetworkSource, table: number): NetworkView {
  const links = listLinks(connection);
  const first = firstForeignRule(readAllRules(connection));
  const routes = readAllRoutes(connection);
  const upstream = routes.filter(routeLeadsUpstream).flatMap(outLinkIndexes);
  return {
    links: links.map((link) => viewLink(link, links)),
    defaultRouteLinks: links.filter((link) => upstream.includes(link.index)).map((link) => link.name),
    ...(first === undefined ? {} : { firstForeignRule: first }),
    filteredBridges: readFilteredBridges(links, readTextFile),
    foreignRoutes: routes.filter((route) => route.table === table && !isOurRoute(route)).map((route) => ({
      family: route.family,
      destination: isDefault(route) ? "default" : formatPrefix(route.destination!),
      protocol: route.protocol,
      deliversLocally: deliversLocally(route),
    })),
    ipv6: readIpv6State(readTextFile),
    forwarding: {
      ipv4: readFlag("/proc/sys/net/ipv4/ip_forward", readTextFile) === "1",
      ipv6: readFlag("/proc/sys/net/ipv6/conf/all/forwarding", readTextFile) === "1",
    },
  };
}

function outLinkIndexes(route: Route): number[] {
  // A way that is down now is the way out again when it comes up.
  return (route.nextHops ?? [route]).flatMap(({ outLinkIndex }) => outLinkIndex ?? []);
}

function viewLink(link: Link, links: readonly Link[]): ViewedLink {
  const master = links.find((other) => other.index === link.master);
  // A packet from a bridge's port carries the bridge's name; from a VRF's port, its own.
  if (master === undefined || master.kind === "vrf") return { name: link.name, loopback: link.loopback };
  return { name: link.name, loopback: link.loopback, master: master.name };
}

/**
 * Tells whether this machine has IPv6. Install, run, doctor and self-test ask here. `readTextFile` throws
 * Deno's errors.
 */
export function readIpv6State(readTextFile: (path: string) => string): NetworkView["ipv6"] {
  // On lo are the listener and the route. Disabling IPv6 on all interfaces disables it there too.
  const disabled = readFlag("/proc/sys/net/ipv6/conf/lo/disable_ipv6", readTextFile);
  if (disabled === undefined) return hasProcfs(readTextFile) ? "absent" : "unknown";
  return disabled === "1" ? "off" : "on";
}

/** Bridges whose packets the rules of IP see while they are bridged: br_netfilter. */
function readFilteredBridges(links: readonly Link[], readTextFile: NetworkSource["readTextFile"]): string[] {
  const bridges = links.filter(({ kind }) => kind === "bridge").map(({ name }) => name);
  const isFiltered = (name: string) =>
    FAMILY_FLAGS.some(({ all, own }) =>
      readFlag(`/proc/sys/net/bridge/${all}`, readTextFile) === "1" ||
      readFlag(`/sys/class/net/${name}/bridge/${own}`, readTextFile) === "1"
    );
  return bridges.filter(isFiltered);
}

/** Reads the text of a sysctl; undefined: the machine has no such file. */
function readFlag(path: string, readTextFile: (path: string) => string): string | undefined {
  try {
    return readTextFile(path).trim();
  } catch {
    return undefined;
  }
}
