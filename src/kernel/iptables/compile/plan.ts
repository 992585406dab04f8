/**
 * A plan as rules of iptables, the same for iptables-legacy and iptables-nft. Pure.
 *
 * ```
 * raw PREROUTING ──── TPROXY_DIVERT ── … ─┬─ TPROXY_OURS: mark, no conntrack
 *                                         ├─ TPROXY_LOCAL: mark             (for other programs)
 *                                         └─ TPROXY_REFUSED: the mark above (for filter)
 * raw OUTPUT ──────── TPROXY_UNTRACKED
 * mangle PREROUTING ─ TPROXY_STEER ── what is marked: TPROXY to the listener
 *                   └ TPROXY_DIVERT_REPLIES
 * mangle OUTPUT ───── TPROXY_UPSTREAM,  mangle FORWARD ─ TPROXY_FORWARDED: mark of the connection (IPv6)
 * filter FORWARD ──── TPROXY_REJECT,  mangle POSTROUTING ─┬ TPROXY_HOLD
 *                                                         └ TPROXY_SERVED: whom LAN servers answer
 * ```
 * @module
 */
import { OperationError } from "../../../net/error.ts";
import type { EntryPlace, Plan, PlannedChain, PlannedRule } from "../../plan/model.ts";
import { chainName, type SourceRule, writeChains } from "./chain_writer.ts";
import { translateConditions } from "./conditions.ts";
import { chainAt, type FamilyContext, makeContext } from "./context.ts";
import { comesBack, isAnswer, planUpstream, proxyIsAlive, rememberEnds, UPSTREAM_JUMPS } from "./flows.ts";
import type { FamilyRules, IptablesChain, IptablesJump, TableName, TableRules } from "./model.ts";
import { planFilter, planHold } from "./refusals.ts";
import { planSteer } from "./steer.ts";
import { LOCAL, mangleEnds, mangleTarget, rawEnds, rawTarget } from "./targets.ts";
import { cannotSay, RETURN } from "./words.ts";

/** Compiles the rules for each family of the plan. Throws an OperationError where iptables cannot do what the config wants. */
export function planIptables({ intent, families }: Plan): FamilyRules[] {
  if (intent.scope.ownTraffic) throw cannotTakeOwnTraffic();
  return families.map((family) => {
    const context = makeContext(intent, family);
    if (context.delivers && context.watch) throw cannotAskPrograms();
    // raw marks packets, and so comes last: what the others do with marks must be there by then.
    const tables = [
      planMangle(context),
      ...(context.refuses ? [planFilter(context)] : []),
      planRaw(context),
    ];
    return { family, tables };
  });
}

function cannotTakeOwnTraffic(): OperationError {
  return new OperationError({
    operation: "use intercept.router-traffic",
    object: "true",
    reason: "the rules of iptables cannot take what the router itself sends yet",
    hint: "Set kernel.backend to netlink, or intercept.router-traffic to false",
    usage: true,
  });
}

/** Nobody shows in the kernel whether another program listens, and TPROXY drops where none does. */
function cannotAskPrograms(): OperationError {
  return new OperationError({
    operation: "use action",
    object: "deliver",
    reason: "where nobody listens, TPROXY of iptables drops, and does not do what intercept.on-failure says",
    hint: "Set intercept.on-failure to drop, or kernel.backend to netlink",
    usage: true,
  });
}

/** Tells in which tables a chain is written. */
function tablesOf(place: PlannedChain["place"], { delivers }: FamilyContext): readonly TableName[] {
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
      throw cannotSay(place);
    default:
      return place satisfies never;
  }
}

function planRaw(context: FamilyContext): TableRules {
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
 * Defers answers: `raw` comes before conntrack and does not know them for certain. What it refuses or drops it only marks, and
 * `mangle` looks again; only what it would hide from conntrack needs the lists, and is treated as if no proxy ran.
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

function planMangle(context: FamilyContext): TableRules {
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
      ...at("from-elsewhere", context).flatMap((chain) => translateReplies(chain, context)),
      ...planSteer(context),
      ...(refuses ? [planHold(context)] : []),
      ...at("forwarded", context).flatMap((chain) => translateForwarded(chain, context)),
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

/** Finds the chain of a place, if there is one. */
function at(place: EntryPlace, { chains }: FamilyContext): readonly PlannedChain[] {
  const chain = chainAt(chains, place);
  return chain === null ? [] : [chain];
}

function jumpsTo(place: EntryPlace, from: string, context: FamilyContext): IptablesJump[] {
  return at(place, context).map(({ name }) => ({ from, text: `-j ${chainName(name)}` }));
}
