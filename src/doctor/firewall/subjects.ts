/**
 * Rules of others that do something to clients' packets, found in their chains. Pure.
 * @module
 */
import type { Hook } from "../../netlink/nft/chain.ts";
import type { NftExpression } from "../../netlink/nft/expression.ts";
import type { NftRule } from "../../netlink/nft/rule.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import { walkBaseChain } from "../packet/packet_walk.ts";
import type { Situation } from "../situation.ts";
import { type FirewallChain, sees } from "./chain.ts";
import { listPackets } from "./packets.ts";
import { reachableRules } from "./reach.ts";

/** A rule, and the chain that leads to it. */
export interface FoundRule {
  readonly of: FirewallChain;
  readonly rule: NftRule;
}

/** Lists the chains of others at hooks, of filters and of NAT. */
export function chainsAt({ chains, legacyChains }: FirewallFacts, hooks: readonly Hook[]): FirewallChain[] {
  return [...chains ?? [], ...legacyChains].filter(({ chain: { base } }) =>
    base !== undefined && hooks.includes(base.hook)
  );
}

/** Finds the rules that do it and that a client's first packet may come to, as it comes in. */
export function findForClients(
  facts: FirewallFacts,
  { hooks, does }: { hooks: readonly Hook[]; does: (expressions: readonly NftExpression[]) => boolean },
  situation: Situation,
): FoundRule[] {
  return chainsAt(facts, hooks).flatMap((of) => {
    const { chain, table } = of;
    if (table === undefined) return [];
    const met = new Set<NftRule>();
    const visit = (rule: NftRule) => void met.add(rule);
    for (const family of situation.families) {
      for (const { packet } of listPackets("forward", family, situation)) {
        if (!sees(of, packet)) continue;
        // At prerouting the way out is not known yet.
        const { output: _, ...coming } = packet;
        const walked = chain.base?.hook === "prerouting" ? coming : packet;
        walkBaseChain(table, chain, walked, { visit });
      }
    }
    return table.rules.filter((rule) => met.has(rule) && does(rule.expressions)).map((rule) => ({
      of,
      rule,
    }));
  });
}

/** Finds the rules that do it, whichever packet comes to them. */
export function findAny(
  facts: FirewallFacts,
  { hooks, does }: { hooks: readonly Hook[]; does: (expressions: readonly NftExpression[]) => boolean },
): FoundRule[] {
  return chainsAt(facts, hooks).flatMap((of) =>
    reachableRules(of).filter(({ expressions }) => does(expressions)).map((rule) => ({ of, rule }))
  );
}
