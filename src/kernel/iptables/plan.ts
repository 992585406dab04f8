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
 * filter FORWARD ──── TPROXY_REJECT,  mangle POSTROUTING ── TPROXY_HOLD
 * ```
 * @module
 */
import type { Config, Protocol } from "../../config/types.ts";
import { OperationError } from "../../net/error.ts";
import type { Family } from "../../net/ip.ts";
import type { Plan, PlannedChain, PlannedTable, Statement } from "../model.ts";
import { RETURN as RETURN_STATEMENT } from "../statements.ts";
import {
  type Action,
  type ActionContext,
  decide,
  deliver,
  hex,
  mangleEnds,
  rawEnds,
  refusedMark,
  RETURN,
} from "./actions.ts";
import { chainName, type SourceRule, writeChains } from "./chain_writer.ts";
import { one } from "./fragment.ts";
import { translateMatches } from "./matches.ts";
import type { FamilyRules, IptablesChain, TableRules } from "./model.ts";

const REFUSED_PACKETS: Readonly<Record<Protocol, string>> = {
  tcp: "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
  udp: "-p udp",
};
const REJECT: Readonly<Record<Family, Record<Protocol, string>>> = {
  ipv4: { tcp: "--reject-with tcp-reset", udp: "--reject-with icmp-port-unreachable" },
  ipv6: { tcp: "--reject-with tcp-reset", udp: "--reject-with icmp6-port-unreachable" },
};

/** The rules for each family of the plan. Throws an OperationError where iptables cannot do what the config wants. */
export function planIptables(plan: Plan, config: Config): FamilyRules[] {
  const { onFailure, routerTraffic } = config.intercept;
  if (routerTraffic) refuseRouterTraffic();
  if (onFailure !== "drop") refuseDelivery(plan.table);
  const { mark } = config.kernel;
  return plan.families.map((family) => {
    const context = { family, mark, watch: onFailure !== "drop" };
    return { family, tables: planFamily(plan.table, { ...context, protocols: config.intercept.protocols }) };
  });
}

function refuseRouterTraffic(): never {
  throw new OperationError({
    operation: "use intercept.router-traffic",
    object: "true",
    kernelText: "the rules of iptables cannot take what the router itself sends yet",
    hint: "Set kernel.backend to netlink, or intercept.router-traffic to false",
    exitCode: 2,
  });
}

/** Nobody shows in the kernel whether another program listens, and TPROXY drops where none does. */
function refuseDelivery(table: PlannedTable): void {
  if (!listenerChains(table).some(({ name }) => name.startsWith("deliver_"))) return;
  throw new OperationError({
    operation: "use action",
    object: "deliver",
    kernelText:
      "where nobody listens, TPROXY of iptables drops, and does not do what intercept.on-failure says",
    hint: "Set intercept.on-failure to drop, or kernel.backend to netlink",
    exitCode: 2,
  });
}

type FamilyContext = ActionContext & { readonly protocols: readonly Protocol[] };

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
    .flatMap((chain) => translateChain(chain, { table, context, act: decide }));
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
  const replies = table.chains.filter(({ name }) => name === "divert_replies");
  const listeners = listenerChains(table);
  const several = listeners.some(({ name }) => name.startsWith("deliver_"));
  const picked = several ? [...listeners, ...replies] : replies;
  return {
    table: "mangle",
    chains: [
      ...mangleEnds(context.mark),
      ...picked.flatMap((chain) => translateChain(chain, { table, context, act: deliver })),
      ...planSteer(table, { ...context, several }),
      ...(context.refuses ? [planHold(context)] : []),
    ],
    jumps: [
      { from: "PREROUTING", text: "-j TPROXY_STEER" },
      { from: "PREROUTING", text: `-j ${chainName("divert_replies")}` },
      ...(context.refuses ? [{ from: "POSTROUTING", text: "-j TPROXY_HOLD" }] : []),
    ],
  };
}

/** What `raw` has decided, for packets that need a listener; those of connections find their socket by themselves. */
function planSteer(
  table: PlannedTable,
  context: FamilyContext & { refuses: boolean; several: boolean },
): IptablesChain[] {
  const { family, mark, protocols, refuses, several } = context;
  const marked = { any: [[{ kind: "match", text: `-m mark --mark ${refusedMark(mark)}` }]] } as const;
  const lan = table.chains.find(({ name }) => name === "divert")!.rules[0];
  const rules: SourceRule[] = [
    {
      matches: translateMatches(lan.statements, { family, sets: table.sets })!,
      target: RETURN,
      reason: lan.reason,
    },
    ...(refuses
      ? [{ matches: [marked], target: "-j ACCEPT", reason: "It will be refused: the mark stays as it is" }]
      : []),
    {
      matches: [one("match", `-m mark ! --mark ${hex(mark)}/${hex(mark)}`)],
      target: RETURN,
      reason: "Not intercepted",
    },
    ...protocols.map((protocol) => ({
      matches: translateMatches([newFlow(protocol)], { family, sets: [] })!,
      target: several ? `-g ${chainName("intercept")}` : findListener(table, context, protocol),
      reason: several
        ? "To which listener, the rules say again"
        : "New flows, to the listener; where none is, TPROXY drops: raw has asked before",
    })).filter(({ target }) => target !== ""),
    { matches: [], target: "-j ACCEPT", reason: "Rules that come after must not change the mark" },
  ];
  const reason = "Packets that raw has marked";
  return writeChains({ name: "steer", reason }, rules);
}

function newFlow(protocol: Protocol): Statement {
  return protocol === "tcp" ? { kind: "bare-syn" } : { kind: "protocol", protocols: ["udp"] };
}

/** The one listener of a protocol; the empty string where the rules give nothing to it. */
function findListener(table: PlannedTable, context: ActionContext, protocol: Protocol): string {
  const wanted = JSON.stringify(newFlow(protocol));
  for (const { rules } of table.chains) {
    for (const { statements } of rules) {
      const tproxy = statements.find((statement) => statement.kind === "tproxy");
      const same = statements.some((statement) => JSON.stringify(statement) === wanted);
      if (tproxy?.to.address.family === context.family && same) return deliver(statements, context).target;
    }
  }
  return "";
}

/** The chains from which one comes to a listener. */
function listenerChains(table: PlannedTable): PlannedChain[] {
  return table.chains.filter(({ name, rules }) =>
    name === "intercept" ||
    rules.some(({ statements }) => statements.some(({ kind }) => kind === "tproxy"))
  );
}

function planFilter({ family, mark, protocols }: FamilyContext): TableRules {
  return {
    table: "filter",
    chains: [{
      name: "TPROXY_REJECT",
      rules: protocols.map((protocol) => ({
        text: `${REFUSED_PACKETS[protocol]} -m mark --mark ${refusedMark(mark)} -j REJECT ${
          REJECT[family][protocol]
        }`,
        reason: protocol === "tcp" ? "As if nobody listened there" : "The same for UDP",
      })),
      reason: "New flows that are refused",
    }],
    jumps: [{ from: "FORWARD", text: "-j TPROXY_REJECT" }],
  };
}

/** What another program's rule has accepted before ours could refuse it. */
function planHold({ mark, protocols }: FamilyContext): IptablesChain {
  return {
    name: "TPROXY_HOLD",
    rules: protocols.map((protocol) => ({
      text: `${REFUSED_PACKETS[protocol]} -m mark --mark ${refusedMark(mark)} -j DROP`,
      reason: "A rule before ours in filter has let it pass",
    })),
    reason: "What is refused does not get out, whatever stands in FORWARD",
  };
}

/** A planned chain with the targets of one table. */
function translateChain(
  chain: PlannedChain,
  options: {
    table: PlannedTable;
    context: ActionContext;
    act: (statements: readonly Statement[], context: ActionContext) => Action;
  },
): IptablesChain[] {
  const { table, context, act } = options;
  const rules = chain.rules.flatMap(({ statements, reason }): SourceRule[] => {
    const matches = translateMatches(statements, { family: context.family, sets: table.sets });
    if (matches === undefined) return [];
    const { target, conditions } = act(knownWays(statements, { table, act }), context);
    return [{ matches: [...matches, ...conditions], target, reason }];
  });
  return writeChains(chain, rules);
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
