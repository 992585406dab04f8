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
import type { Config, Protocol } from "../../../config/types.ts";
import { OperationError } from "../../../net/error.ts";
import type { Plan, PlannedChain, PlannedTable, Statement } from "../../plan/model.ts";
import { RETURN as RETURN_STATEMENT } from "../../plan/statements.ts";
import { type Action, type ActionContext, decide, deliver, mangleEnds, rawEnds } from "./targets.ts";
import { chainName, type SourceRule, writeChains } from "./chain_writer.ts";
import { byConnectionMark, deferAnswers, planUpstream, remember, UPSTREAM_JUMPS } from "./flows.ts";
import { translateMatches } from "./conditions.ts";
import type { FamilyRules, IptablesChain, TableRules } from "./model.ts";
import { planFilter, planHold } from "./refusals.ts";
import { listenerChains, planSteer } from "./steer.ts";

/** The rules for each family of the plan. Throws an OperationError where iptables cannot do what the config wants. */
export function planIptables(plan: Plan, config: Config): FamilyRules[] {
  const { onFailure, routerTraffic } = config.intercept;
  if (routerTraffic) refuseRouterTraffic();
  if (onFailure !== "drop") refuseDelivery(plan.table);
  const { mark } = config.kernel;
  return plan.families.map((family) => {
    const { protocols } = config.intercept;
    const context = { family, mark, watch: onFailure !== "drop", udp: protocols.includes("udp") };
    // Sockets with addresses of the router's own find errors as all do.
    const foreign = config.source !== "router";
    return { family, tables: planFamily(plan.table, { ...context, protocols, foreign }) };
  });
}

function refuseRouterTraffic(): never {
  throw new OperationError({
    operation: "use intercept.router-traffic",
    object: "true",
    reason: "the rules of iptables cannot take what the router itself sends yet",
    hint: "Set kernel.backend to netlink, or intercept.router-traffic to false",
    usage: true,
  });
}

/** Nobody shows in the kernel whether another program listens, and TPROXY drops where none does. */
function refuseDelivery(table: PlannedTable): void {
  if (!listenerChains(table).some(({ name }) => name.startsWith("deliver_"))) return;
  throw new OperationError({
    operation: "use action",
    object: "deliver",
    reason: "where nobody listens, TPROXY of iptables drops, and does not do what intercept.on-failure says",
    hint: "Set intercept.on-failure to drop, or kernel.backend to netlink",
    usage: true,
  });
}

/** `foreign`: the proxy's sockets have clients' addresses. */
type FamilyContext = ActionContext & { readonly protocols: readonly Protocol[]; readonly foreign: boolean };

function planFamily(table: PlannedTable, context: FamilyContext): TableRules[] {
  const refuses = table.chains.some(({ rules }) =>
    rules.some(({ statements }) => statements.some(({ kind }) => kind === "reject"))
  );
  // raw marks packets, and so comes last: what the others do with marks must be there by then.
  return [
    planMangle(table, { ...context, refuses }),
    ...(refuses ? [planFilter(context)] : []),
    planRaw(table, context),
  ];
}

function planRaw(table: PlannedTable, context: FamilyContext): TableRules {
  const chains = table.chains.filter(({ name, hook }) =>
    name !== "divert_replies" && hook?.hook !== "forward"
  )
    .flatMap((chain) => translateChain(deferAnswers(chain), { table, context, act: decide }));
  return {
    table: "raw",
    chains: [...rawEnds(context.mark).filter((end) => isUsed(end, chains)), ...chains],
    jumps: [
      { from: "PREROUTING", text: `-j ${chainName("divert")}` },
      { from: "OUTPUT", text: `-j ${chainName("untracked")}` },
    ],
  };
}

function isUsed(end: IptablesChain, chains: readonly IptablesChain[]): boolean {
  return chains.some(({ rules }) => rules.some(({ text }) => text.endsWith(`-g ${end.name}`)));
}

function planMangle(table: PlannedTable, context: FamilyContext & { refuses: boolean }): TableRules {
  const listeners = listenerChains(table);
  const several = listeners.some(({ name }) => name.startsWith("deliver_"));
  const replies = table.chains.filter(({ name }) => name === "divert_replies")
    .flatMap((chain) => translateReplies(chain, table, context));
  const served = planServedChain(table, context);
  const upstream = context.family === "ipv6" && context.foreign ? planUpstream(context.mark) : [];
  return {
    table: "mangle",
    chains: [
      ...mangleEnds(context.mark),
      ...(several
        ? listeners.flatMap((chain) => translateChain(chain, { table, context, act: deliver }))
        : []),
      ...replies,
      ...planSteer(table, { ...context, several }),
      ...(context.refuses ? [planHold(context)] : []),
      ...served,
      ...upstream,
    ],
    jumps: [
      { from: "PREROUTING", text: "-j TPROXY_STEER" },
      { from: "PREROUTING", text: `-j ${chainName("divert_replies")}` },
      ...(context.refuses ? [{ from: "POSTROUTING", text: "-j TPROXY_HOLD" }] : []),
      ...(served.length > 0 ? [{ from: "POSTROUTING", text: `-j ${chainName("served")}` }] : []),
      ...(upstream.length > 0 ? UPSTREAM_JUMPS : []),
    ],
  };
}

/** In IPv6, what comes back of masqueraded flows needs a rule more. */
function translateReplies(
  chain: PlannedChain,
  table: PlannedTable,
  context: FamilyContext,
): IptablesChain[] {
  const { family, foreign, mark } = context;
  const rules = translateRules(chain, { table, context, act: deliver });
  if (family === "ipv4" || !foreign) return writeChains(chain, rules);
  return writeChains(chain, rules.flatMap((rule) => [rule, ...byConnectionMark(rule, mark)]));
}

/** Behind all filters, as it must be; there, no rule can ask where a packet came from. */
function planServedChain(table: PlannedTable, context: FamilyContext): IptablesChain[] {
  return table.chains.filter(({ name }) => name === "served").flatMap((chain) => {
    const rules = chain.rules.map(({ statements, reason }) => ({
      statements: statements.filter(({ kind }) => !kind.startsWith("input-interface")),
      reason,
    }));
    return translateChain({ ...chain, rules }, { table, context, act: remember });
  });
}

interface TranslateOptions {
  readonly table: PlannedTable;
  readonly context: ActionContext;
  readonly act: (statements: readonly Statement[], context: ActionContext) => Action;
}

/** A planned chain with the targets of one table. */
function translateChain(chain: PlannedChain, options: TranslateOptions): IptablesChain[] {
  return writeChains(chain, translateRules(chain, options));
}

function translateRules({ rules }: PlannedChain, { table, context, act }: TranslateOptions): SourceRule[] {
  return rules.flatMap(({ statements, reason }): SourceRule[] => {
    const matches = translateMatches(statements, { family: context.family, sets: table.sets });
    // Those have been spared before there was a mark.
    const spared = act === deliver && statements.some(({ kind }) => kind === "remembered-flow");
    if (matches === undefined || spared) return [];
    const { target, conditions } = act(knownWays(statements, { table, act }), context);
    return [{ matches: [...matches, ...conditions], target, reason }];
  });
}

/** In mangle there are no chains for what has no listener: a way there ends. */
function knownWays(
  statements: readonly Statement[],
  { table, act }: { table: PlannedTable; act: unknown },
): readonly Statement[] {
  if (act !== deliver) return statements;
  const known = listenerChains(table).map(({ name }) => name);
  return statements.map((statement) =>
    statement.kind === "goto" && !known.includes(statement.chain) ? RETURN_STATEMENT : statement
  );
}
