/**
 * Facts about an intent on which its rules of iptables depend: asked once. Pure.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import type { Effect } from "../../plan/rules/effect.ts";
import type { EntryPlace, Intent, PlannedChain } from "../../plan/model.ts";
import { failureEffect } from "../../plan/phrases.ts";

/** An intent, for one family. */
export interface FamilyContext extends Intent {
  readonly family: Family;
  /** The rules must know that a proxy runs: not so where packets that no listener wants are dropped. */
  readonly watch: boolean;
  /** The proxy's sockets have clients' addresses. Sockets with addresses of the router's own find errors as all do. */
  readonly foreign: boolean;
  /** Rules deliver to other programs. */
  readonly delivers: boolean;
  /** Something is refused. */
  readonly refuses: boolean;
  /** Datagrams are dropped without an answer. */
  readonly dropsUdp: boolean;
  /** The effect of `intercept.on-failure` on datagrams. */
  readonly failure: Effect;
}

/** Asks the intent. */
export function makeContext(intent: Intent, family: Family): FamilyContext {
  const { scope, chains } = intent;
  const some = (test: (effect: Effect) => boolean) =>
    chains.some(({ rules }) => rules.some(({ effect }) => test(effect)));
  return {
    ...intent,
    family,
    watch: scope.onFailure !== "drop",
    foreign: scope.source !== "router",
    delivers: some(({ kind }) => kind === "program"),
    refuses: some(({ kind }) => kind === "refuse"),
    dropsUdp: some((effect) => effect.kind === "drop" && effect.protocols.includes("udp")),
    failure: failureEffect(scope, "udp"),
  };
}

/** Finds the chain of a place that has no more than one. */
export function chainAt(
  chains: readonly PlannedChain[],
  place: EntryPlace | "decision",
): PlannedChain | null {
  return chains.find((chain) => chain.place === place) ?? null;
}
