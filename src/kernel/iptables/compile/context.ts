/**
 * Facts about an intent on which its rules of iptables depend, asked once; and the places of its chains in
 * the tables. Pure.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import type { Effect } from "../../plan/rules/effect.ts";
import type { EntryPlace, Intent, PlannedChain } from "../../plan/model.ts";
import { failureEffect } from "../../plan/phrases.ts";
import { chainName } from "./chain_writer.ts";
import { cannotSay } from "./fragment.ts";
import type { IptablesJump, TableName } from "./model.ts";

/** An intent, for one family. */
export interface FamilyContext extends Intent {
  readonly family: Family;
  /** The rules must know that a proxy runs: not so where packets that no listener wants are dropped. */
  readonly watch: boolean;
  /**
   * The proxy's sockets have clients' addresses. Sockets with addresses of the router's own find errors as
   * all do.
   */
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

/** Tells in which tables a chain is written. */
export function tablesOf(place: PlannedChain["place"], { delivers }: FamilyContext): readonly TableName[] {
  switch (place) {
    case "from-clients":
    case "to-clients":
    case "end":
    case "accepted":
      return ["raw"];
    case "decision":
    case "listener":
      // Where there is one listener alone, the mark tells mangle enough.
      return delivers ? ["raw", "mangle"] : ["raw"];
    case "from-elsewhere":
    case "forwarded":
      return ["mangle"];
    case "router-output":
    case "router-loopback":
    case "router-input":
    case "router-step":
    case "unanswered":
    case "tracked":
    case "late":
    case "router-unanswered":
    case "steer":
    case "ask":
    case "hold":
    case "sent":
    case "keep-incoming":
    case "keep-outgoing":
    case "keep-source":
    case "keep-route":
    case "sent-routed":
    case "router-steer":
    case "live-step":
      throw cannotSay(place);
    default:
      return place satisfies never;
  }
}

/** Finds the chains of a place; there is one, or none. */
export function chainsAt(place: PlannedChain["place"], { chains }: FamilyContext): readonly PlannedChain[] {
  return chains.filter((chain) => chain.place === place);
}

/** Leads from a built-in chain to that of a place. */
export function jumpsTo(place: EntryPlace, from: string, context: FamilyContext): IptablesJump[] {
  return chainsAt(place, context).map(({ name }) => ({ from, text: `-j ${chainName(name)}` }));
}
