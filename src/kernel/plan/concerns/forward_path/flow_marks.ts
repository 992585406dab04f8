/**
 * Marks of flows (`ct mark`), which others give on the forward path: what is dialled for a client, and the
 * client's leg, are other flows to conntrack, and get the same. Where nobody gives any there is nothing of
 * this. Pure.
 * @module
 */
import type { Protocol } from "../../../../config/types.ts";
import type { Family } from "../../../../net/ip.ts";
import type { LiveOptions } from "../../live/options.ts";
import type { PlannedRule } from "../../model.ts";
import type { Condition } from "../../rules/condition.ts";
import type { Effect } from "../../rules/effect.ts";
import type { PlannedSet } from "../../rules/set.ts";
import type { Scope } from "../../scope.ts";
import { planFlowSets } from "../flow_set.ts";

/** A silent server's client is told after longer, but the flow is dialled, and has its mark, at once. */
const NOTED_SECONDS = 10;

function markMap(family: Family): string {
  return `marks_${family}`;
}

/** Plans the maps. */
export function planMarkMaps({ families }: Scope, { others, limits }: LiveOptions): PlannedSet[] {
  if (!others.flowMarks) return [];
  return planFlowSets(families, {
    nameOf: markMap,
    timeoutSeconds: NOTED_SECONDS,
    size: limits.asking,
    values: "mark",
    reason: "Marks that others have given to flows whose first packet has asked",
  });
}

/** Plans the rules that note the mark of a flow that asks. */
export function noteMarks({ families, protocols }: Scope, { others }: LiveOptions): PlannedRule[] {
  if (!others.flowMarks) return [];
  return families.flatMap((family): PlannedRule[] => {
    const ofFlow: readonly Condition[] = [{ kind: "family", family }, { kind: "protocol", protocols }];
    const effect = (kind: "note-mark" | "forget-mark", original: boolean): Effect => ({
      kind,
      family,
      set: markMap(family),
      original,
    });
    return [{
      conditions: ofFlow,
      effect: effect("forget-mark", false),
      reason: "An earlier flow with the same addresses and ports may have had another one",
    }, {
      conditions: [{ kind: "marked-flow", negate: false }, ...ofFlow],
      effect: effect("note-mark", false),
      reason: "The mark that others have given: as the flow is about to be dialled",
    }, {
      conditions: [{ kind: "translated-flow" }, ...ofFlow],
      effect: effect("forget-mark", true),
      reason: "The same as the client has addressed it",
    }, {
      conditions: [{ kind: "translated-flow" }, { kind: "marked-flow", negate: false }, ...ofFlow],
      effect: effect("note-mark", true),
      reason: "For the client's leg",
    }];
  });
}

/** Plans the rules that give it to a flow of the proxy's own; `answer`: to one that an answer begins. */
export function recallMarks(
  { families }: Scope,
  { others }: LiveOptions,
  { protocols, answer = false }: { readonly protocols: readonly Protocol[]; readonly answer?: boolean },
): PlannedRule[] {
  if (!others.flowMarks) return [];
  return families.map((family): PlannedRule => ({
    // Not by its state: conntrack may have been told of it already, for the filters of others.
    conditions: [{ kind: "marked-flow", negate: true }, { kind: "family", family }, {
      kind: "protocol",
      protocols,
    }],
    effect: { kind: "recall-mark", family, set: markMap(family), answer },
    reason: "The mark that others have given to the client's flow",
  }));
}
