/**
 * The conditions of rules that a packet alone can meet. Pure.
 * @module
 */
import type { RuleConfig } from "../config/types.ts";
import type { Family, Prefix } from "../net/ip.ts";
import { compareKeys, type KeyRange, mergeRanges, prefixRange } from "../net/ranges.ts";

/** Conditions that a packet alone can meet; one that is absent is always met. */
export interface Conditions
  extends Pick<RuleConfig, "from" | "to" | "ports" | "protocol" | "interfaces" | "mac"> {
  /** No rule asks for the family alone; what becomes of a rule's flows may depend on it. */
  readonly family?: Family;
}

const FAMILIES = ["ipv4", "ipv6"] as const;

/** Tells whether a rule asks for a name. */
export function hasNames({ domains, domainFiles }: RuleConfig): boolean {
  return domains !== undefined || domainFiles !== undefined;
}

/** The conditions of a rule that a packet alone can meet. */
export function conditionsOf({ from, to, ports, protocol, interfaces, mac }: RuleConfig): Conditions {
  return withoutAbsent({ from, to, ports, protocol, interfaces, mac });
}

/**
 * Tells for certain that whatever meets `inner` meets `outer`; says no where two of `outer`'s ranges cover
 * one only together.
 */
export function coversAll(outer: Conditions, inner: Conditions): boolean {
  return covers(outer.protocol, inner.protocol, (a, b) => a === b) &&
    covers(outer.family, inner.family, (a, b) => a === b) &&
    covers(
      outer.ports,
      inner.ports,
      (wide, narrow) =>
        narrow.every(({ first, last }) => wide.some((range) => range.first <= first && last <= range.last)),
    ) &&
    covers(outer.interfaces, inner.interfaces, includesAll) && covers(outer.mac, inner.mac, includesAll) &&
    covers(outer.from, inner.from, includesNetworks) && covers(outer.to, inner.to, includesNetworks);
}

/** The conditions of what meets both; undefined: nothing does. */
export function intersect(a: Conditions, b: Conditions): Conditions | undefined {
  const both = {
    protocol: common(a.protocol, b.protocol, sameWord),
    family: common(a.family, b.family, sameWord),
    ports: common(a.ports, b.ports, commonPorts),
    interfaces: common(a.interfaces, b.interfaces, commonItems),
    mac: common(a.mac, b.mac, commonItems),
    from: common(a.from, b.from, commonNetworks),
    to: common(a.to, b.to, commonNetworks),
  };
  return Object.values(both).some((part) => part === null) ? undefined : withoutAbsent(both as Conditions);
}

/** Tells whether a condition covers a value; an absent condition covers all. */
function covers<T>(
  outer: T | undefined,
  inner: T | undefined,
  includes: (outer: T, inner: T) => boolean,
): boolean {
  return outer === undefined || (inner !== undefined && includes(outer, inner));
}

/**
 * The common part of two conditions; null: there is none. Lists that stay as they are stay the same object.
 */
function common<T>(
  a: T | undefined,
  b: T | undefined,
  intersection: (a: T, b: T) => T | null,
): T | undefined | null {
  return a === undefined ? b : b === undefined || a === b ? a : intersection(a, b);
}

function sameWord<T>(a: T, b: T): T | null {
  return a === b ? a : null;
}

function commonItems(a: readonly string[], b: readonly string[]): readonly string[] | null {
  const both = a.filter((item) => b.includes(item));
  return both.length === 0 ? null : both;
}

function commonPorts(a: NonNullable<Conditions["ports"]>, b: NonNullable<Conditions["ports"]>) {
  const both = a.flatMap((one) =>
    b.map((other) => ({ first: Math.max(one.first, other.first), last: Math.min(one.last, other.last) }))
  ).filter(({ first, last }) => first <= last);
  return both.length === 0 ? null : both;
}

/** Of two networks that meet, one holds the other: so all that meet stand in one of the lists. */
function commonNetworks(a: readonly Prefix[], b: readonly Prefix[]): readonly Prefix[] | null {
  const both = [...within(a, b), ...within(b, a)];
  return both.length === 0 ? null : [...new Set(both)];
}

/** The networks that others cover. */
function within(networks: readonly Prefix[], others: readonly Prefix[]): Prefix[] {
  return FAMILIES.flatMap((family) => {
    const ranges = rangesOf(others, family);
    return networks.filter((network) => {
      if (network.address.family !== family) return false;
      const { from, to } = prefixRange(network);
      let low = 0;
      let high = ranges.length;
      // The first range that ends at the network's beginning or behind it.
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (compareKeys(ranges[middle].to, from) < 0) low = middle + 1;
        else high = middle;
      }
      const range = ranges.at(low);
      return low < ranges.length && compareKeys(range!.from, from) <= 0 && compareKeys(to, range!.to) <= 0;
    });
  });
}

function includesAll(outer: readonly string[], inner: readonly string[]): boolean {
  return inner.every((item) => outer.includes(item));
}

function includesNetworks(outer: readonly Prefix[], inner: readonly Prefix[]): boolean {
  return within(inner, outer).length === inner.length;
}

/** Lists may be long, and are compared with many others. */
const RANGES: Readonly<Record<Family, WeakMap<readonly Prefix[], readonly KeyRange[]>>> = {
  ipv4: new WeakMap(),
  ipv6: new WeakMap(),
};

function rangesOf(networks: readonly Prefix[], family: Family): readonly KeyRange[] {
  const known = RANGES[family].get(networks);
  if (known !== undefined) return known;
  const ranges = mergeRanges(networks.filter(({ address }) => address.family === family).map(prefixRange));
  RANGES[family].set(networks, ranges);
  return ranges;
}

function withoutAbsent(conditions: { [K in keyof Conditions]: Conditions[K] | undefined }): Conditions {
  return Object.fromEntries(Object.entries(conditions).filter(([, value]) => value !== undefined));
}
