/**
 * The changes that rules of others may make to what this machine itself sends, and to what comes in from its
 * loopback interface: addresses, and routes by marks. Where nobody does, nothing has to be kept from it.
 * Pure.
 * @module
 */
import type { NftChain } from "../netlink/nft/chain.ts";
import type { OtherRules } from "./other_rules.ts";
import { ALL_CHANGES, type OutputChanges } from "./plan/live/options.ts";

/** The base chains that make a change, by their types and hooks. */
const PLACES = {
  incoming: { type: "nat", hook: "prerouting" },
  outgoing: { type: "nat", hook: "output" },
  source: { type: "nat", hook: "postrouting" },
  route: { type: "route", hook: "output" },
} as const;

const CHANGES = Object.keys(PLACES) as (keyof OutputChanges)[];

/** Finds them. A chain without rules changes nothing; rules of iptables-legacy are not looked into. */
export function findOutputChanges({ tables, legacy }: OtherRules): OutputChanges {
  if (/^(nat|mangle)$/m.test(legacy)) return ALL_CHANGES;
  const found = { incoming: false, outgoing: false, source: false, route: false };
  for (const { bases, rules } of tables) {
    for (const chain of bases) {
      const change = CHANGES.find((change) => isAt(chain, PLACES[change]));
      if (change !== undefined && rules.some((rule) => rule.chain === chain.name)) found[change] = true;
    }
  }
  return found;
}

function isAt({ base }: NftChain, place: { readonly type: string; readonly hook: string }): boolean {
  return base?.type === place.type && base.hook === place.hook;
}
