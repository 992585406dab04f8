/**
 * The rules of `mangle`, which gives packets to sockets: those that `raw` has marked, and replies. Pure.
 * @module
 */
import type { Marks } from "../../../marks.ts";
import type { PlannedChain, PlannedRule } from "../../plan/model.ts";
import { type SourceRule, writeChains } from "./chain_writer.ts";
import { translateConditions } from "./conditions.ts";
import { chainsAt, type FamilyContext, jumpsTo, tablesOf } from "./context.ts";
import { comesBack, planUpstream, rememberEnds, UPSTREAM_JUMPS } from "./flows.ts";
import { cannotSay, markWith, RETURN } from "./fragment.ts";
import type { IptablesChain, TableRules } from "./model.ts";
import { planHold } from "./refusals.ts";
import { planSteer } from "./steer.ts";
import { LOCAL, mangleTarget } from "./targets.ts";

/** Compiles the table. */
export function compileMangle(context: FamilyContext): TableRules {
  const { chains, family, foreign, refuses, scope: { marks } } = context;
  const listeners = chains.filter(({ place }) => place === "decision" || place === "listener")
    .filter(({ place }) => tablesOf(place, context).includes("mangle"));
  const upstream = family === "ipv6" && foreign ? planUpstream(marks) : [];
  return {
    table: "mangle",
    chains: [
      ...mangleEnds(marks),
      ...listeners.flatMap((chain) =>
        writeChains(chain, chain.rules.flatMap((rule) => mangleRules(rule, context)))
      ),
      ...chainsAt("from-elsewhere", context).flatMap((chain) => translateReplies(chain, context)),
      ...planSteer(context),
      ...(refuses ? [planHold(context)] : []),
      ...chainsAt("forwarded", context).flatMap((chain) => translateForwarded(chain, context)),
      ...upstream,
    ],
    jumps: [
      { from: "PREROUTING", text: "-j TPROXY_STEER" },
      ...jumpsTo("from-elsewhere", "PREROUTING", context),
      ...(refuses ? [{ from: "POSTROUTING", text: "-j TPROXY_HOLD" }] : []),
      ...jumpsTo("forwarded", "POSTROUTING", context),
      ...(upstream.length > 0 ? UPSTREAM_JUMPS : []),
    ],
  };
}

function mangleRules({ conditions, effect, reason }: PlannedRule, context: FamilyContext): SourceRule[] {
  const matches = translateConditions(conditions, context);
  return matches === null ? [] : [{ matches, target: mangleTarget(effect, context), reason }];
}

/** Adds, for IPv6, a rule for what comes back of masqueraded flows to each that looks for a socket. */
function translateReplies(chain: PlannedChain, context: FamilyContext): IptablesChain[] {
  const { family, foreign, scope: { marks } } = context;
  const rules = chain.rules.flatMap((rule) => {
    const own = mangleRules(rule, context);
    const looks = rule.conditions.some(({ kind }) => kind === "transparent-socket");
    if (own.length === 0 || !looks || family === "ipv4" || !foreign) return own;
    const others = rule.conditions.filter(({ kind }) =>
      kind !== "transparent-socket" && kind !== "known-flow"
    );
    return [...own, {
      matches: [...translateConditions(others, context) ?? [], comesBack(marks)],
      target: LOCAL,
      reason: "The same behind masquerade, where the packet has other addresses than the socket",
    }];
  });
  return writeChains(chain, rules);
}

/** Writes what is behind all filters, as it must be; there, no rule can ask where a packet came from. */
function translateForwarded(chain: PlannedChain, context: FamilyContext): IptablesChain[] {
  const rules = chain.rules.flatMap(({ conditions, effect, reason }): SourceRule[] => {
    if (effect.kind !== "remember") throw cannotSay(effect.kind);
    const known = conditions.filter(({ kind }) =>
      kind !== "input-interface" && kind !== "input-interface-name"
    );
    const matches = translateConditions(known, context);
    if (matches === null) return [];
    return [{ matches: [...matches, rememberEnds(context.family)], target: RETURN, reason }];
  });
  return writeChains(chain, rules);
}

/** Plans the chain that the targets of `mangle` lead to. */
function mangleEnds({ intercepted }: Marks): IptablesChain[] {
  return [{
    name: "TPROXY_LOCAL",
    rules: [
      { text: markWith(intercepted), reason: "A routing rule delivers what is marked to this machine" },
      { text: "-j ACCEPT", reason: "Rules that come after must not change the mark" },
    ],
    reason: "To its socket",
  }];
}
