/**
 * Puts surroundings into the router of the self-test, and takes them away.
 * @module
 */
import { type Family, isOfLinkAlone, parseIp } from "../../../net/ip.ts";
import { FAMILIES } from "../../../net/families.ts";
import type { NetlinkConnection } from "../../../netlink/connection.ts";
import { NftBatch } from "../../../netlink/nft/batch.ts";
import { addAddress, deleteAddress, listAddresses } from "../../../netlink/route/address.ts";
import { createBridge, deleteLink, findLink, setLinkMaster, setLinkUp } from "../../../netlink/route/link.ts";
import { addRoute, deleteRoute, type Route } from "../../../netlink/route/route.ts";
import { addRule, deleteRule, type RoutingRule } from "../../../netlink/route/rule.ts";
import { openNetlink } from "../../../netlink/transport.ts";
import { ADDRESSES } from "../addresses.ts";
import { FOREIGN_MARK, type Surrounding, SURROUNDINGS } from "./surroundings.ts";

const TABLE = { family: "inet", name: "selftest_surroundings" } as const;
const BRIDGE = "br0";
const [MAIN_TABLE, OTHER_TABLE] = [254, 202];
const STATIC = 4; // RTPROT_STATIC
const RULE_PRIORITY = 30_000;

/** Loads a firewall of that kind. */
export function loadSurrounding(name: Surrounding): void {
  const batch = new NftBatch().addTable(TABLE);
  for (const { name: chain, base, rules } of SURROUNDINGS[name]) {
    const where = { family: TABLE.family, table: TABLE.name };
    batch.addChain({ ...where, name: chain, base });
    for (const expressions of rules) batch.addRule({ ...where, chain, expressions });
  }
  using connection = openNetlink("netfilter");
  batch.commit(connection);
}

/** Takes it away. */
export function removeSurrounding(): void {
  using connection = openNetlink("netfilter");
  new NftBatch().deleteTable(TABLE).commit(connection);
}

/** Leads clients to the server by a table of their own; the router itself has no way there. */
export function setPolicyRoutes(by: "interface" | "mark", on: boolean): void {
  using connection = openNetlink("route");
  const way = findLink(connection, "r1")!.index;
  for (const family of FAMILIES) {
    const { rule, routes } = policyRoutes(family, by, way);
    if (on) {
      for (const route of routes) addRoute(connection, route);
      addRule(connection, rule);
    } else {
      deleteRule(connection, rule);
      for (const route of routes) deleteRoute(connection, route);
    }
  }
}

function policyRoutes(family: Family, by: "interface" | "mark", way: number) {
  const address = parseIp(ADDRESSES[family].server)!;
  const destination = { address, length: 8 * address.bytes.length };
  const common = { family, destination, protocol: STATIC };
  const routes: Route[] = [
    { ...common, table: OTHER_TABLE, type: "unicast", outLinkIndex: way, scope: 253 }, // RT_SCOPE_LINK
    { ...common, table: MAIN_TABLE, type: "unreachable", scope: 0 },
  ];
  const mark = by === "mark" ? { mark: FOREIGN_MARK, mask: FOREIGN_MARK } : { mark: 0, mask: 0 };
  const rule: RoutingRule = {
    family,
    priority: RULE_PRIORITY,
    protocol: STATIC,
    table: OTHER_TABLE,
    ...mark,
    ...(by === "interface" ? { iifname: "r0" } : {}),
  };
  return { routes, rule };
}

/** Makes the LAN side a port of a bridge, which then has its addresses; or puts it back. */
export function setBridge(on: boolean): void {
  using connection = openNetlink("route");
  const port = findLink(connection, "r0")!.index;
  if (on) {
    createBridge(connection, BRIDGE);
    const bridge = findLink(connection, BRIDGE)!.index;
    moveAddresses(connection, port, bridge);
    setLinkMaster(connection, port, bridge);
    setLinkUp(connection, bridge);
  } else {
    const bridge = findLink(connection, BRIDGE)!.index;
    setLinkMaster(connection, port, 0);
    moveAddresses(connection, bridge, port);
    deleteLink(connection, bridge);
  }
}

/** Tells whether the bridge is there. */
export function hasBridge(): boolean {
  using connection = openNetlink("route");
  return findLink(connection, BRIDGE) !== undefined;
}

function moveAddresses(connection: NetlinkConnection, from: number, to: number): void {
  for (const address of listAddresses(connection)) {
    // Those of a link alone the kernel makes itself.
    if (address.linkIndex !== from || isOfLinkAlone(address.prefix.address)) continue;
    deleteAddress(connection, address);
    addAddress(connection, { linkIndex: to, prefix: address.prefix, noDad: true });
  }
}
