/**
 * The conditions of rules that a packet alone can meet. Pure.
 * @module
 */
import type { RuleConfig } from "../config/types.ts";
import type { Prefix } from "../net/ip.ts";
import { compareKeys, mergeRanges, prefixRange } from "../net/ranges.ts";

/** Conditions that a packet alone can meet; one that is absent is always met. */
export type Conditions = Pick<RuleConfig, "from" | "to" | "ports" | "protocol" | "interfaces" | "mac">;

/**
 * Tells for certain that whatever meets `inner` meets `outer`; says no where two of `outer`'s ranges cover
 * one only together.
 */
export function coversAll(outer: Conditions, inner: Conditions): boolean {
  return covers(outer.protocol, inner.protocol, (a, b) => a === b) &&
    covers(
      outer.ports,
      inner.ports,
      (wide, narrow) =>
        narrow.every(({ first, last }) => wide.some((range) => range.first <= first && last <= range.last)),
    ) &&
    covers(outer.interfaces, inner.interfaces, includesAll) && covers(outer.mac, inner.mac, includesAll) &&
    covers(outer.from, inner.from, includesNetworks) && covers(outer.to, inner.to, includesNetworks);
}

/** Tells whether a condition covers a value; an absent condition covers all. */
function covers<T>(
  outer: T | undefined,
  inner: T | undefined,
  includes: (outer: T, inner: T) => boolean,
): boolean {
  return outer === undefined || (inner !== undefined && includes(outer, inner));
}

function includesAll(outer: readonly string[], inner: readonly string[]): boolean {
  return inner.every((item) => outer.includes(item));
}

/** Both lists are merged and walked once, side by side. */
function includesNetworks(outer: readonly Prefix[], inner: readonly Prefix[]): boolean {
  return (["ipv4", "ipv6"] as const).every((family) => {
    const [wide, narrow] = [outer, inner].map((networks) =>
      mergeRanges(networks.filter(({ address }) => address.family === family).map(prefixRange))
    );
    let at = 0;
    return narrow.every(({ from, to }) => {
      while (at < wide.length && compareKeys(wide[at].to, from) < 0) at++;
      return at < wide.length && compareKeys(wide[at].from, from) <= 0 && compareKeys(to, wide[at].to) <= 0;
    });
  });
}
