/**
 * The compiled policy: plain data, most of it in memory that threads share. Pure.
 *
 * ```
 * tables:  HEADER: rules, families, protocols, ports of intercept
 *          a record (RULE) for each rule; a pointer to a set is 0 where the rule has no such condition
 *          a word for each interface that rules name: its number
 *          sets (networks.ts); a list of interfaces: count | places of their words
 * ```
 * @module
 */
import type { Action, Source } from "../config/types.ts";

/** Way of a flow that a rule decides. */
export interface Route {
  /** The rule's name; `default` for what no rule matches. */
  readonly name: string;
  readonly action: Action;
  /** For `block`: the client is told nothing. */
  readonly silent: boolean;
  /** For `deliver`: the port of the other program; 0 for other actions. */
  readonly deliverPort: number;
  /** For `proxy`: the upstream's name; null: none is named. */
  readonly upstream: string | null;
  /** The sender that servers see. */
  readonly source: Source;
}

/** A policy as it is handed to workers: it may be posted, the tables are not copied. */
export interface PolicyImage {
  readonly generation: number;
  readonly tables: SharedArrayBuffer;
  /** By number of the rule. */
  readonly routes: readonly Route[];
  /** Of what no rule matches. */
  readonly otherwise: Route;
  /** The interfaces that rules name, in the order of their words. */
  readonly interfaces: readonly string[];
}

/** Words of the header. */
export const HEADER = { rules: 0, families: 1, protocols: 2, ports: 3, interfaces: 4, size: 5 } as const;

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
  domains: 8,
  size: 9,
} as const;

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
