/**
 * Routes: the entries of routing tables. The codec is pure.
 * @module
 */
import { type Family, formatPrefix, type IpAddress, type Prefix } from "../../net/ip.ts";
import { AttributeWriter, LITTLE_ENDIAN } from "../attribute.ts";
import type { NetlinkConnection } from "../connection.ts";
import { NLM_F_CREATE, NLM_F_EXCL } from "../message.ts";
import {
  addressOf,
  familyNumber,
  familyOf,
  readPrefix,
  readRouteBody,
  routeRequest,
  RTM_DELROUTE,
  RTM_GETROUTE,
  RTM_NEWROUTE,
  withoutAbsent,
} from "./message.ts";
import {
  type NextHop,
  readNextHops,
  readWay,
  type Way,
  wayFlags,
  writeNextHops,
  writeWay,
} from "./next_hop.ts";
import { type RouteType, routeTypeNumber, routeTypeOf } from "./route_type.ts";

/**
 * sizeof(struct rtmsg): family, dst_len, src_len, tos, table, protocol, scope, type (u8 each), flags (u32).
 */
const HEADER_SIZE = 12;
// linux/rtnetlink.h: enum rtattr_type_t, rtm_flags
const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_OIF = 4;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_TABLE = 15;
/** Offset of rtm_flags. */
const FLAGS = 8;
const RTM_F_CLONED = 0x200;

/** linux/rtnetlink.h: enum rt_scope_t */
export const ROUTE_SCOPE = { universe: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const;

/** A route. */
export interface Route extends Way {
  /** Address family. */
  readonly family: Family;
  /** Routing table (RTA_TABLE). */
  readonly table: number;
  /** Treatment of the packet (rtm_type). */
  readonly type: RouteType;
  /** Everything (`default`) where there is none. */
  readonly destination?: Prefix;
  /** Sources that it is for (RTA_SRC). */
  readonly source?: Prefix;
  /** Only packets with this TOS take it. */
  readonly tos?: number;
  /** The ways of a route with several (RTA_MULTIPATH). */
  readonly nextHops?: readonly NextHop[];
  /** Source address that the router itself uses (RTA_PREFSRC). */
  readonly preferredSource?: IpAddress;
  /** The metric. Lower is better. */
  readonly priority?: number;
  /** Its maker: rtnetlink's protocol number. */
  readonly protocol: number;
  /** One of {@linkcode ROUTE_SCOPE}. */
  readonly scope: number;
}

/** The body of RTM_NEWROUTE and RTM_DELROUTE. */
export function encodeRoute(route: Route): Uint8Array {
  const structure = new Uint8Array(HEADER_SIZE);
  structure[0] = familyNumber(route.family);
  structure[1] = route.destination?.length ?? 0;
  structure[2] = route.source?.length ?? 0;
  structure[3] = route.tos ?? 0;
  structure[4] = route.table < 256 ? route.table : 0;
  structure[5] = route.protocol;
  structure[6] = route.scope;
  structure[7] = routeTypeNumber(route.type);
  new DataView(structure.buffer).setUint32(FLAGS, wayFlags(route), LITTLE_ENDIAN);
  const writer = new AttributeWriter().structure(structure);
  if (route.destination !== undefined) writer.bytes(RTA_DST, route.destination.address.bytes);
  if (route.source !== undefined) writer.bytes(RTA_SRC, route.source.address.bytes);
  writeWay(writer, route, route.family);
  if (route.preferredSource !== undefined) writer.bytes(RTA_PREFSRC, route.preferredSource.bytes);
  if (route.priority !== undefined) writer.u32(RTA_PRIORITY, route.priority);
  if (route.table >= 256) writer.u32(RTA_TABLE, route.table);
  if (route.nextHops !== undefined) writeNextHops(writer, route.nextHops, route.family);
  if (route.outLinkIndex !== undefined) writer.u32(RTA_OIF, route.outLinkIndex);
  return writer.finish();
}

/** Reads the body of RTM_NEWROUTE; undefined for families other than IP. */
export function decodeRoute(body: Uint8Array): Route | undefined {
  const { structure, attributes } = readRouteBody(body, HEADER_SIZE);
  const family = familyOf(structure.getUint8(0));
  if (family === undefined) return undefined;
  const tos = structure.getUint8(3);
  const preferredSource = attributes.bytes(RTA_PREFSRC);
  const own = withoutAbsent<Omit<Route, keyof Way> & Pick<Way, "outLinkIndex">>({
    family,
    table: attributes.u32(RTA_TABLE) ?? structure.getUint8(4),
    type: routeTypeOf(structure.getUint8(7)),
    protocol: structure.getUint8(5),
    scope: structure.getUint8(6),
    destination: readPrefix(attributes.bytes(RTA_DST), structure.getUint8(1)),
    source: readPrefix(attributes.bytes(RTA_SRC), structure.getUint8(2)),
    tos: tos === 0 ? undefined : tos,
    outLinkIndex: attributes.u32(RTA_OIF),
    nextHops: readNextHops(attributes),
    preferredSource: preferredSource && addressOf(preferredSource),
    priority: attributes.u32(RTA_PRIORITY),
  });
  return { ...own, ...readWay(attributes, structure.getUint32(FLAGS, LITTLE_ENDIAN)) };
}

function isCached(body: Uint8Array): boolean {
  return (readRouteBody(body, HEADER_SIZE).structure.getUint32(FLAGS, LITTLE_ENDIAN) & RTM_F_CLONED) !== 0;
}

/** The routes of a family, of all tables or of one. Equivalent to: ip route show table all */
export function listRoutes(
  connection: NetlinkConnection,
  options: { family: Family; table?: number },
): Route[] {
  const header = new Uint8Array(HEADER_SIZE);
  header[0] = familyNumber(options.family);
  return connection.dump(routeRequest(RTM_GETROUTE, header), {
    operation: "list routes",
    object: options.family,
  })
    .filter((message) => message.type === RTM_NEWROUTE && !isCached(message.body))
    .flatMap((message) => decodeRoute(message.body) ?? [])
    .filter((route) => route.family === options.family)
    .filter((route) => options.table === undefined || route.table === options.table);
}

/**
 * Adds a route; EEXIST if there is one to the same destination. Equivalent to: ip route add local default dev
 * lo table 100
 */
export function addRoute(connection: NetlinkConnection, route: Route): void {
  connection.execute(routeRequest(RTM_NEWROUTE, encodeRoute(route), NLM_F_CREATE | NLM_F_EXCL), {
    operation: "add route",
    object: describeRoute(route),
  });
}

/**
 * Deletes the first route with all these properties. Equivalent to: ip route delete local default dev lo
 * table 100
 */
export function deleteRoute(connection: NetlinkConnection, route: Route): void {
  connection.execute(routeRequest(RTM_DELROUTE, encodeRoute(route)), {
    operation: "delete route",
    object: describeRoute(route),
  });
}

/** `ipv4 local default table 100`. */
function describeRoute(route: Route): string {
  const destination = route.destination === undefined ? "default" : formatPrefix(route.destination);
  return `${route.family} ${route.type} ${destination} table ${route.table}`;
}
