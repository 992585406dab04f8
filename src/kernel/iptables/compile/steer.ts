/**
 * The chain of `mangle` for packets that `raw` has marked. Pure.
 * @module
 */
import type { Protocol } from "../../../config/types.ts";
import { hex } from "../../../net/hex.ts";
import type { PlannedChain, PlannedTable, Statement } from "../../plan/model.ts";
import { type ActionContext, decide, deliver, DROPPED, refusedMark, RETURN } from "./targets.ts";
import { chainName, type SourceRule, writeChains } from "./chain_writer.ts";
import { planAnswers, spareReplies } from "./flows.ts";
import { one } from "./fragment.ts";
import { translateMatches } from "./conditions.ts";
import type { IptablesChain } from "./model.ts";

/** What the chain depends on. */
export interface SteerContext extends ActionContext {
  readonly protocols: readonly Protocol[];
  /** Whether something is refused. */
  readonly refuses: boolean;
  /** Whether there are other listeners than the proxy's. */
  readonly several: boolean;
}

/** What `raw` has decided, for packets that need a listener; those of connections find their socket by themselves. */
export function planSteer(
  table: PlannedTable,
  context: SteerContext,
): IptablesChain[] {
  const { family, mark, protocols, refuses, several } = context;
  const dropsUdp = drops(table, context);
  // What raw has marked without hiding it from conntrack can be an answer.
  const answers = context.udp && (refuses || several || dropsUdp);
  const marked = { any: [[{ kind: "match", text: `-m mark --mark ${refusedMark(mark)}` }]] } as const;
  const lan = table.chains.find(({ name }) => name === "divert")!.rules[0];
  const rules: SourceRule[] = [
    {
      matches: translateMatches(lan.statements, { family, sets: table.sets })!,
      target: RETURN,
      reason: lan.reason,
    },
    ...(answers ? spareReplies(mark, { drops: dropsUdp }) : []),
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
  return [...(answers ? [planAnswers(mark)] : []), ...writeChains({ name: "steer", reason }, rules)];
}

/** Whether something is dropped without an answer that may be UDP. */
function drops(table: PlannedTable, context: ActionContext): boolean {
  return table.chains.some(({ rules }) =>
    rules.some(({ statements }) => decide(statements, context).target === DROPPED)
  );
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
export function listenerChains(table: PlannedTable): PlannedChain[] {
  return table.chains.filter(({ name, rules }) =>
    name === "intercept" ||
    rules.some(({ statements }) => statements.some(({ kind }) => kind === "tproxy"))
  );
}
