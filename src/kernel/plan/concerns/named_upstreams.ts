/**
 * Upstreams that are known by name: their addresses are a running proxy's knowledge. Pure.
 * @module
 */
import { passPlaces, type PlannedPlaces, planPlaces } from "./upstreams.ts";
import type { PlannedRule } from "../model.ts";
import type { PlannedSet } from "../rules/set.ts";
import type { Scope } from "../scope.ts";
import type { LiveOptions } from "../live/options.ts";

/** Plans the sets of their addresses. */
export function planNamedSets(scope: Scope, options: LiveOptions): readonly PlannedSet[] {
  return placesOf(scope, options).sets;
}

/** Lets flows to them go on that would ask. */
export function forwardToNamed(scope: Scope, options: LiveOptions): PlannedRule[] {
  return passPlaces(placesOf(scope, options), { kind: "forward", counted: false });
}

function placesOf({ families }: Scope, { upstreams }: LiveOptions): PlannedPlaces {
  return planPlaces(upstreams, "named", families);
}
