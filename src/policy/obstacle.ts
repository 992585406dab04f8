/**
 * Rules that can match nothing here. Pure.
 * @module
 */
import type { Config } from "../config/types.ts";
import type { Family, Prefix } from "../net/ip.ts";
import type { Conditions } from "./conditions.ts";

/** Origin of flows. */
export interface PolicyScope {
  /** The clients' interfaces. */
  readonly lan: readonly string[];
  /** The families that are intercepted. */
  readonly families: readonly Family[];
}

/** Returns the reason why a rule matches nothing that comes here; undefined: it may match. */
export function findObstacle(
  rule: Conditions,
  { intercept }: Config,
  scope: PolicyScope,
): string | undefined {
  const { protocol, ports, interfaces } = rule;
  if (protocol !== undefined && !intercept.protocols.includes(protocol)) {
    return `${protocol} is not among intercept.protocols`;
  }
  const intercepted = intercept.ports;
  const overlaps = ports === undefined || intercepted === "all" ||
    ports.some((range) => intercepted.some(({ first, last }) => first <= range.last && range.first <= last));
  if (!overlaps) return "none of its ports is among intercept.ports";
  if (interfaces !== undefined && !interfaces.some((name) => scope.lan.includes(name))) {
    return `clients are intercepted on ${scope.lan.join(", ")} alone`;
  }
  if (usableFamilies(rule, scope.families).length > 0) return undefined;
  const empty = [rule.from, rule.to].some((networks) => networks?.length === 0);
  return empty
    ? "its list of networks is empty"
    : "its networks are of address families that do not meet, or are not intercepted";
}

/** The families in which every list of networks of the rule has some. */
export function usableFamilies(
  { from, to, family: only }: Pick<Conditions, "from" | "to" | "family">,
  families: readonly Family[],
): Family[] {
  const lists = [from, to].filter((networks) => networks !== undefined);
  const asked = only === undefined ? families : families.filter((family) => family === only);
  return asked.filter((family) => lists.every((networks) => networks.some(isOf(family))));
}

/** The networks of one family. */
export function ofFamily(networks: readonly Prefix[], family: Family): Prefix[] {
  return networks.filter(isOf(family));
}

function isOf(family: Family): (network: Prefix) => boolean {
  return ({ address }) => address.family === family;
}
