/**
 * Connections whose SYN the listener has just been given. Pure.
 * @module
 */
import type { Family } from "../../../../net/ip.ts";
import { TCP } from "../../phrases.ts";
import type { Condition } from "../../rules/condition.ts";
import type { PlannedSet } from "../../rules/set.ts";
import type { Scope } from "../../scope.ts";
import { planFlowSets } from "../flow_set.ts";

/** A client that has lost the answer to its SYN sends again before. */
const ANSWERED_SECONDS = 8;
/** The most: a fast router takes so many in this time. */
const MAX_ANSWERED = 131072;

/** Names the set, which holds them as their clients send. */
export function answeredSet(family: Family): string {
  return `answered_${family}`;
}

/** Plans the sets. */
export function planAnsweredSets({ families, tcp }: Scope): PlannedSet[] {
  if (!tcp) return [];
  return planFlowSets(families, {
    nameOf: answeredSet,
    timeoutSeconds: ANSWERED_SECONDS,
    size: MAX_ANSWERED,
    reason: "Connections that the listener has just been asked for",
  });
}

/** Asks whether a client sends in such a connection; with `answer`, whether it is sent to. */
export function inAnswered(family: Family, { answer }: { answer: boolean }): Condition[] {
  return [{ kind: "family", family }, TCP, {
    kind: "remembered-flow",
    family,
    set: answeredSet(family),
    answer,
  }];
}
