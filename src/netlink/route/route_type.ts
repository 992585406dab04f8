/**
 * Types of routes, which are also types of addresses (`fib daddr type`). Pure.
 * @module
 */
import { Names } from "../names.ts";

/** A route's treatment of a packet. */
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

// linux/rtnetlink.h: RTN_*
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

/** The inverse of {@linkcode routeTypeNumber}. */
export function routeTypeOf(number: number): RouteType {
  return TYPES.name(number);
}
