/**
 * The compiled policy: plain data, most of it in memory that threads share. Pure.
 *
 * ```
 * tables:  HEADER: rules, families, protocols, ports of intercept, effects of what no rule matches
 *          a record (RULE) for each rule; a pointer to a set is 0 where the rule has no such condition
 *          a word for each interface that rules name: its number
 *          sets (networks.ts); a list of interfaces: count | places of their words
 * ```
 * @module
 */
import type { Route } from "./routes/route.ts";

/** A policy as it is handed to workers: it may be posted, the tables are not copied. */
export interface PolicyImage {
  readonly generation: number;
  readonly tables: SharedArrayBuffer;
  /** By number of the rule: what it says of flows that its upstreams can carry. */
  readonly routes: readonly Route[];
  /** The same of what no rule matches. */
  readonly otherwise: Route;
  /** For each kind of flow, what no rule matches first, then by number of the rule. */
  readonly routesByKind: readonly (readonly Route[])[];
  /** All ways that differ, by the number of their effect. */
  readonly ways: readonly Route[];
  /** Upstreams by number. */
  readonly upstreams: readonly string[];
  /** Memory of the sets of names, in the order of their numbers; a set that nobody has made is missing. */
  readonly names: readonly SharedArrayBuffer[];
  /** The interfaces that rules name, in the order of their words. */
  readonly interfaces: readonly string[];
}

/** Words of the header. */
export const HEADER = {
  rules: 0,
  families: 1,
  protocols: 2,
  ports: 3,
  interfaces: 4,
  effects: 5,
  size: 9,
} as const;

/** Bits of {@linkcode HEADER}.families. */
export const FAMILY_BITS = { ipv4: 1, ipv6: 2 } as const;
/** Bits of {@linkcode HEADER}.protocols. */
export const PROTOCOL_BITS = { tcp: 1, udp: 2 } as const;

/** Words of a rule's record. */
export const RULE = {
  protocol: 0,
  ports: 1,
  from4: 2,
  from6: 3,
  to4: 4,
  to6: 5,
  interfaces: 6,
  mac: 7,
  /** 0: none; otherwise the number of the set, from 1 on, or {@linkcode NAMES_MISSING}. */
  names: 8,
  /** The effect on each kind of flow: numbers that are equal where the ways are. */
  effects: 9,
  size: 13,
} as const;

/** A rule has names, and nobody has made their set. */
export const NAMES_MISSING = -1;

/** Words of a key of each kind. */
export const WIDTH = { port: 1, ipv4: 1, ipv6: 4, mac: 2 } as const;

/** An interface's word until {@linkcode placeInterfaces} has been called. */
export const NEVER_TOLD = -1;

/**
 * Tells all that use the image which number each interface has; without a number it is not there, and nothing
 * comes through it. May be called again at any time, by any thread.
 */
export function placeInterfaces(image: PolicyImage, numbers: ReadonlyMap<string, number>): void {
  const tables = new Int32Array(image.tables);
  const first = tables[HEADER.interfaces];
  for (const [index, name] of image.interfaces.entries()) tables[first + index] = numbers.get(name) ?? 0;
}
