/**
 * The rules of `raw`, which decides: it comes before conntrack, and leaves marks for the other tables. Pure.
 * @module
 */
import type { Marks } from "../../../marks.ts";
import type { PlannedChain, PlannedRule } from "../../plan/model.ts";
import { type SourceRule, writeChains } from "./chain_writer.ts";
import { translateConditions } from "./conditions.ts";
import { type FamilyContext, jumpsTo, tablesOf } from "./context.ts";
import { isAnswer, proxyIsAlive } from "./flows.ts";
import { markWith } from "./fragment.ts";
import type { IptablesChain, TableRules } from "./model.ts";
import { rawTarget } from "./targets.ts";

/** Compiles the table. */
export function compileRaw(context: FamilyContext): TableRules {
  const chains = context.chains.filter(({ place }) => tablesOf(place, context).includes("raw"))
    .flatMap((chain) => writeChains(chain, chain.rules.flatMap((rule) => rawRules(rule, chain, context))));
  return {
    table: "raw",
    chains: [...rawEnds(context.scope.marks).filter((end) => isUsed(end, chains)), ...chains],
    jumps: [
      ...jumpsTo("from-clients", "PREROUTING", context),
      ...jumpsTo("to-clients", "OUTPUT", context),
    ],
  };
}

function isUsed(end: IptablesChain, chains: readonly IptablesChain[]): boolean {
  return chains.some(({ rules }) => rules.some(({ text }) => text.endsWith(`-g ${end.name}`)));
}

function rawRules(rule: PlannedRule, chain: PlannedChain, context: FamilyContext): SourceRule[] {
  const { conditions, effect, reason } = rule;
  if (effect.kind === "pass-answer") return rawAnswers(rule, chain, context);
  const matches = translateConditions(conditions, context);
  if (matches === null) return [];
  const alive = effect.kind === "proxy" && context.watch ? [proxyIsAlive(context.family)] : [];
  return [{ matches: [...matches, ...alive], target: rawTarget(effect), reason }];
}

/**
 * Defers answers: `raw` comes before conntrack and does not know them for certain. It only marks packets that
 * are to be refused or dropped, and `mangle` looks again. Packets that it would hide from conntrack need the
 * lists, and are treated as if no proxy ran.
 */
function rawAnswers(
  { conditions, effect, reason }: PlannedRule,
  chain: PlannedChain,
  context: FamilyContext,
): SourceRule[] {
  const hides = chain.rules.some(({ effect }) => effect.kind === "proxy");
  const others = translateConditions(conditions.filter(({ kind }) => kind !== "remembered-flow"), context);
  if (effect.kind !== "pass-answer" || !hides || others === null) return [];
  return [{
    matches: [...others, isAnswer(effect, context.sets)],
    target: rawTarget(context.failure),
    reason,
  }];
}

/** Plans the chains that the targets of `raw` lead to. */
function rawEnds({ intercepted, refused, dropped }: Marks): IptablesChain[] {
  const set = {
    text: markWith(intercepted),
    reason: "A routing rule delivers what is marked to this machine",
  };
  return [
    {
      name: "TPROXY_OURS",
      rules: [set, {
        text: "-j CT --notrack",
        reason: "The proxy's own leg has the same addresses and ports",
      }],
      reason: "To the proxy, unseen by conntrack",
    },
    { name: "TPROXY_LOCAL", rules: [set], reason: "To another program, which conntrack sees" },
    {
      name: "TPROXY_REFUSED",
      rules: [{ text: markWith(refused), reason: "REJECT is valid in the table filter alone" }],
      reason: "To be refused when it is forwarded",
    },
    {
      name: "TPROXY_DROPPED",
      rules: [{ text: markWith(dropped), reason: "Conntrack must see it first: it may be an answer" }],
      reason: "To be dropped by mangle",
    },
  ];
}
