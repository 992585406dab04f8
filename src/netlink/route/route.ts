/**
 * Routes: the entries of routing tables, and the kernel's answer to "where would this packet go?". The codec is pure.
 * @module
 */
import { type Family, formatIp, formatPrefix, type IpAddress, type Prefix } from "../../net/ip.ts";
import { align, AttributeWriter, LITTLE_ENDIAN } from "../attribute.ts";
import type { NetlinkConnection } from "../connection.ts";
import { NLM_F_CREATE, NLM_F_EXCL } from "../message.ts";
import { Names } from "../names.ts";
import {
  addressOf,
  familyNumber,
  familyOf,
  readRouteBody,
  routeRequest,
  RTM_DELROUTE,
  RTM_GETROUTE,
  RTM_NEWROUTE,
} from "./message.ts";

/** sizeof(struct rtmsg): family, dst_len, src_len, tos, table, protocol, scope, type (u8 each), flags (u32). */
const HEADER_SIZE = 12;
// linux/rtnetlink.h: enum rtattr_type_t, rtm_flags
const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_IIF = 3;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_MULTIPATH = 9;
const RTA_TABLE = 15;
const RTA_MARK = 16;
const RTM_F_CLONED = 0x200;

/** What a route does with a packet. */
export type RouteType =
  | "unspec"
  | "unicast"
  | "local"
  | "broadcast"
  | "anycast"
  | "multicast"
  | "blackhole"
  | "unreachable"
  | "prohibit"
  | "throw"
  | "nat";

const TYPES = new Names<RouteType>("route type", {
  unspec: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
  nat: 10,
});

/** The number of a route type, RTN_*: what `fib daddr type` yields. */
export function routeTypeNumber(type: RouteType): number {
  return TYPES.number(type);
}

/** linux/rtnetlink.h: enum rt_scope_t */
export const ROUTE_SCOPE = { universe: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const;

/** A route. */
export interface Route {
  /** Address family. */
  readonly family: Family;
  /** Routing table (RTA_TABLE). */
  readonly table: number;
  /** What becomes of the packet (rtm_type). */
  readonly type: RouteType;
  /** Everything (`default`) where there is none. */
  readonly destination?: Prefix;
  /** Sources that it is for (RTA_SRC). */
  readonly source?: Prefix;
  /** Index of the outgoing interface (RTA_OIF). */
  readonly outLinkIndex?: number;
  /** The interfaces of a route with several next hops. Read, never written. */
  readonly nextHopLinkIndexes?: readonly number[];
  /** Next hop (RTA_GATEWAY). */
  readonly gateway?: IpAddress;
  /** Source address that the router itself uses (RTA_PREFSRC). */
  readonly preferredSource?: IpAddress;
  /** The metric. Lower is better. */
  readonly priority?: number;
  /** Who made it: rtnetlink's protocol number. */
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
  structure[4] = route.table < 256 ? route.table : 0;
  structure[5] = route.protocol;
  structure[6] = route.scope;
  structure[7] = TYPES.number(route.type);
  const writer = new AttributeWriter().structure(structure);
  if (route.destination !== undefined) writer.bytes(RTA_DST, route.destination.address.bytes);
  if (route.source !== undefined) writer.bytes(RTA_SRC, route.source.address.bytes);
  if (route.gateway !== undefined) writer.bytes(RTA_GATEWAY, route.gateway.bytes);
  if (route.preferredSource !== undefined) writer.bytes(RTA_PREFSRC, route.preferredSource.bytes);
  if (route.priority !== undefined) writer.u32(RTA_PRIORITY, route.priority);
  if (route.table >= 256) writer.u32(RTA_TABLE, route.table);
  if (route.outLinkIndex !== undefined) writer.u32(RTA_OIF, route.outLinkIndex);
  return writer.finish();
}

/** Reads the body of RTM_NEWROUTE; undefined for families other than IP. */
export function decodeRoute(body: Uint8Array): Route | undefined {
  const { structure, attributes } = readRouteBody(body, HEADER_SIZE);
  const family = familyOf(structure.getUint8(0));
  if (family === undefined) return undefined;
  const destination = attributes.bytes(RTA_DST);
  const source = attributes.bytes(RTA_SRC);
  const gateway = attributes.bytes(RTA_GATEWAY);
  const preferredSource = attributes.bytes(RTA_PREFSRC);
  const outLinkIndex = attributes.u32(RTA_OIF);
  const priority = attributes.u32(RTA_PRIORITY);
  const nextHops = attributes.bytes(RTA_MULTIPATH);
  return {
    family,
    table: attributes.u32(RTA_TABLE) ?? structure.getUint8(4),
    type: TYPES.name(structure.getUint8(7)),
    protocol: structure.getUint8(5),
    scope: structure.getUint8(6),
    ...(destination && { destination: { address: addressOf(destination), length: structure.getUint8(1) } }),
    ...(source && { source: { address: addressOf(source), length: structure.getUint8(2) } }),
    ...(gateway && { gateway: addressOf(gateway) }),
    ...(preferredSource && { preferredSource: addressOf(preferredSource) }),
    ...(outLinkIndex === undefined ? {} : { outLinkIndex }),
    ...(priority === undefined ? {} : { priority }),
    ...(nextHops && { nextHopLinkIndexes: readNextHops(nextHops) }),
  };
}

/** struct rtnexthop: its length (u16), flags and hops (u8 each), the interface (i32); its attributes follow. */
function readNextHops(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const links: number[] = [];
  for (let offset = 0; offset + 8 <= bytes.length;) {
    links.push(view.getInt32(offset + 4, LITTLE_ENDIAN));
    offset += Math.max(8, align(view.getUint16(offset, LITTLE_ENDIAN)));
  }
  return links;
}

function isCached(body: Uint8Array): boolean {
  return (readRouteBody(body, HEADER_SIZE).structure.getUint32(8, LITTLE_ENDIAN) & RTM_F_CLONED) !== 0;
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

/** Adds a route; EEXIST if there is one to the same destination. Equivalent to: ip route add local default dev lo table 100 */
export function addRoute(connection: NetlinkConnection, route: Route): void {
  connection.execute(routeRequest(RTM_NEWROUTE, encodeRoute(route), NLM_F_CREATE | NLM_F_EXCL), {
    operation: "add route",
    object: describeRoute(route),
  });
}

/** Deletes the first route with all these properties. Equivalent to: ip route delete local default dev lo table 100 */
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

/** A packet whose way is asked for. */
export interface RouteQuestion {
  /** Destination address (RTA_DST). */
  readonly to: IpAddress;
  /** Source address (RTA_SRC). */
  readonly from?: IpAddress;
  /** fwmark (RTA_MARK). */
  readonly mark?: number;
  /** The index of the interface that it comes in by; without it, it is the router's own. */
  readonly iif?: number;
}

/** The body of RTM_GETROUTE. */
export function encodeRouteQuestion(question: RouteQuestion): Uint8Array {
  const bits = question.to.bytes.length * 8;
  const structure = new Uint8Array(HEADER_SIZE);
  structure[0] = familyNumber(question.to.family);
  structure[1] = bits;
  structure[2] = question.from === undefined ? 0 : bits;
  const writer = new AttributeWriter().structure(structure).bytes(RTA_DST, question.to.bytes);
  if (question.from !== undefined) writer.bytes(RTA_SRC, question.from.bytes);
  if (question.iif !== undefined) writer.u32(RTA_IIF, question.iif);
  if (question.mark !== undefined) writer.u32(RTA_MARK, question.mark);
  return writer.finish();
}

/** The route that the kernel takes; ENETUNREACH and the like are thrown. Equivalent to: ip route get TO from FROM iif NAME mark 1 */
export function lookUpRoute(connection: NetlinkConnection, question: RouteQuestion): Route {
  const object = formatIp(question.to);
  const replies = connection.execute(routeRequest(RTM_GETROUTE, encodeRouteQuestion(question)), {
    operation: "look up route to",
    object,
  });
  const answer = replies.find((message) => message.type === RTM_NEWROUTE);
  const route = answer && decodeRoute(answer.body);
  if (route === undefined) throw new RangeError(`Cannot look up route to "${object}": the answer is empty`);
  return route;
}
