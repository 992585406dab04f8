/**
 * Upstreams as destinations: whoever dials one himself, a client or the router, is not led there through
 * itself. Rules that block or deliver such flows hold. Pure.
 * @module
 */
import type { Endpoint, Family, IpAddress } from "../../../net/ip.ts";
import { mergeRanges, prefixRange } from "../../../net/ranges.ts";
import type { Contribution } from "../contribution.ts";
import type { PlannedRule } from "../model.ts";
import type { Condition } from "../rules/condition.ts";
import type { Effect } from "../rules/effect.ts";
import { PASS } from "../rules/effect.ts";
import type { PlannedSet } from "../rules/set.ts";
import type { Scope } from "../scope.ts";

const REASON = "Upstreams themselves: nobody is led to one through it";

/** The sets of some places, and what a packet to one of them meets. */
export interface PlannedPlaces {
  readonly sets: readonly PlannedSet[];
  /** All conditions of one of them hold. */
  readonly alternatives: readonly (readonly Condition[])[];
}

/** Plans sets and conditions. `prefix`: of the sets' names. */
export function planPlaces(
  places: readonly Endpoint[],
  prefix: string,
  families: readonly Family[],
): PlannedPlaces {
  const ports = [...new Set(places.map(({ port }) => port))].toSorted((a, b) => a - b);
  const planned = ports.map((port): PlannedPlaces => {
    const addresses = places.filter((place) => place.port === port).map(({ address }) => address);
    const used = families.filter((family) => addresses.some((address) => address.family === family));
    const portSet = `${prefix}_${port}_port`;
    return {
      sets: used.length === 0 ? [] : [
        { name: portSet, type: "inet_service", elements: [{ first: port, last: port }], reason: REASON },
        ...used.map((family) => planAddresses(`${prefix}_${port}_${family}`, family, addresses)),
      ],
      alternatives: used.map((family) => [
        { kind: "family", family },
        { kind: "destination-port", set: portSet, negate: false },
        { kind: "address", side: "destination", family, set: `${prefix}_${port}_${family}` },
      ]),
    };
  });
  return {
    sets: planned.flatMap(({ sets }) => sets),
    alternatives: planned.flatMap(({ alternatives }) => alternatives),
  };
}

function planAddresses(name: string, family: Family, addresses: readonly IpAddress[]): PlannedSet {
  const own = addresses.filter((address) => address.family === family);
  const length = family === "ipv4" ? 32 : 128;
  return {
    name,
    type: family === "ipv4" ? "ipv4_addr" : "ipv6_addr",
    elements: mergeRanges(own.map((address) => prefixRange({ address, length }))),
    reason: REASON,
  };
}

/** Plans the sets of those whose addresses the config has. */
export function planUpstreams(scope: Scope): Contribution {
  return { sets: placesOf(scope).sets };
}

/** Lets flows to them pass, among those for the proxy. */
export function passUpstreams(scope: Scope): PlannedRule[] {
  return passPlaces(placesOf(scope), PASS);
}

/** Gives packets to places this effect. */
export function passPlaces({ alternatives }: PlannedPlaces, effect: Effect): PlannedRule[] {
  return alternatives.map((conditions) => ({ conditions, effect, reason: REASON }));
}

function placesOf({ upstreams, families }: Scope): PlannedPlaces {
  return planPlaces(upstreams, "upstreams", families);
}
