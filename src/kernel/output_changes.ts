/**
 * The changes that rules of others may make to what this machine itself sends, and to what comes in from its
 * loopback interface: addresses, and routes by marks; and whether they mark flows. Where nobody does, nothing
 * has to be kept from it. Pure.
 * @module
 */
import { AttributeMap } from "../netlink/attribute.ts";
import type { NftChain } from "../netlink/nft/chain.ts";
import type { UnknownExpression } from "../netlink/nft/expression.ts";
import type { NftRule } from "../netlink/nft/rule.ts";
import type { OtherRules } from "./other_rules.ts";
import { ALL_CHANGES, type OutputChanges } from "./plan/live/options.ts";

/** The base chains that make a change, by their types and hooks. */
const PLACES = {
  incoming: { type: "nat", hook: "prerouting" },
  outgoing: { type: "nat", hook: "output" },
  source: { type: "nat", hook: "postrouting" },
  route: { type: "route", hook: "output" },
} as const;

const CHANGES = Object.keys(PLACES) as (keyof typeof PLACES)[];
/** linux/netfilter/nf_tables_compat.h: enum nft_target_attributes. */
const NFTA_TARGET_NAME = 1;

/** Finds them. A chain without rules changes nothing; rules of iptables-legacy are not looked into. */
export function findOutputChanges({ tables, legacy }: OtherRules): OutputChanges {
  if (/^(nat|mangle)$/m.test(legacy)) return ALL_CHANGES;
  const found = {
    incoming: false,
    outgoing: false,
    source: false,
    route: false,
    flowMarks: legacy !== "" || tables.some(({ rules }) => rules.some(marksFlow)),
  };
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

function marksFlow({ expressions }: NftRule): boolean {
  return expressions.some((expression) => {
    if (expression.kind === "ct") return expression.direction === "set" && expression.key === "mark";
    return expression.kind === "unknown" && targetName(expression) === "CONNMARK";
  });
}

/** The name of an extension of iptables; undefined: it is none. */
function targetName({ name, data }: UnknownExpression): string | undefined {
  return name === "target" ? new AttributeMap(data).string(NFTA_TARGET_NAME) : undefined;
}
