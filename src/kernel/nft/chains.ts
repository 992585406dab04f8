/**
 * The intent as a table of nf_tables. Pure.
 * @module
 */
import {
  ASK_PRIORITY,
  DIVERT_PRIORITY,
  DIVERT_REPLIES_PRIORITY,
  HOLD_PRIORITY,
  KEEP_DESTINATION_PRIORITY,
  KEEP_SOURCE_PRIORITY,
  LATE_PRIORITY,
  LIVE_TABLE_NAME,
  ROUTED_PRIORITY,
  ROUTER_LOOPBACK_PRIORITY,
  ROUTER_PRIORITY,
  ROUTER_STEER_PRIORITY,
  ROUTER_UNANSWERED_PRIORITY,
  SERVED_PRIORITY,
  STEER_PRIORITY,
  TABLE_NAME,
  TRACKED_PRIORITY,
  UNANSWERED_PRIORITY,
  UNTRACKED_PRIORITY,
} from "../../constants.ts";
import { type LivePlan, planLive } from "../plan/live/live_plan.ts";
import { LIVE_OPTIONS } from "../plan/live/options.ts";
import type { EntryPlace, Intent, Plan, PlannedChain } from "../plan/model.ts";
import type { ChainHook, CompiledChain, CompiledTable, TableContents } from "./model.ts";
import { verbsOf } from "./verbs.ts";

/** The table's comment, by which it is known as ours. */
export const TABLE_COMMENT = "made by tproxy install";

/** The same of the running proxy's table. */
export const LIVE_COMMENT = "made by tproxy run";

const HOOKS: Readonly<Record<EntryPlace, ChainHook>> = {
  "from-clients": { hook: "prerouting", priority: DIVERT_PRIORITY },
  "from-elsewhere": { hook: "prerouting", priority: DIVERT_REPLIES_PRIORITY },
  "forwarded": { hook: "forward", priority: SERVED_PRIORITY },
  "to-clients": { hook: "output", priority: UNTRACKED_PRIORITY },
  "router-output": { type: "route", hook: "output", priority: ROUTER_PRIORITY },
  "router-loopback": { hook: "prerouting", priority: ROUTER_LOOPBACK_PRIORITY },
  "router-input": { hook: "input", priority: SERVED_PRIORITY },
  "unanswered": { hook: "prerouting", priority: UNANSWERED_PRIORITY },
  "tracked": { hook: "prerouting", priority: TRACKED_PRIORITY },
  "late": { hook: "prerouting", priority: LATE_PRIORITY },
  "router-unanswered": { type: "route", hook: "output", priority: ROUTER_UNANSWERED_PRIORITY },
  "steer": { hook: "prerouting", priority: STEER_PRIORITY },
  "ask": { hook: "postrouting", priority: ASK_PRIORITY },
  "hold": { hook: "prerouting", priority: HOLD_PRIORITY },
  "sent": { type: "route", hook: "output", priority: TRACKED_PRIORITY },
  "keep-incoming": { type: "nat", hook: "prerouting", priority: KEEP_DESTINATION_PRIORITY },
  "keep-outgoing": { type: "nat", hook: "output", priority: KEEP_DESTINATION_PRIORITY },
  "keep-source": { type: "nat", hook: "postrouting", priority: KEEP_SOURCE_PRIORITY },
  "keep-route": { type: "route", hook: "output", priority: LATE_PRIORITY },
  "sent-routed": { hook: "output", priority: ROUTED_PRIORITY },
  "router-steer": { type: "route", hook: "output", priority: ROUTER_STEER_PRIORITY },
};

/** Compiles the table that the plan of an install wants. */
export function compileTable({ intent }: Pick<Plan, "intent">): CompiledTable {
  return { name: TABLE_NAME, comment: TABLE_COMMENT, ...compileIntent(intent) };
}

/** Compiles the table of a running proxy. */
export function compileLive({ intent }: LivePlan): CompiledTable {
  return { name: LIVE_TABLE_NAME, comment: LIVE_COMMENT, flags: ["owner"], ...compileIntent(intent) };
}

/** Compiles the table that a proxy with one worker would have, to be shown; undefined: it would have none. */
export function compileShownLive({ intent: { scope } }: Pick<Plan, "intent">): CompiledTable | undefined {
  return scope.admission === "early" ? undefined : compileLive(planLive(scope, LIVE_OPTIONS));
}

function compileIntent({ scope, sets, chains }: Intent): TableContents {
  const compileChain = ({ name, place, rules, reason }: PlannedChain): CompiledChain => ({
    name,
    place,
    ...(isEntry(place) ? { hook: HOOKS[place] } : {}),
    rules: rules.map(({ conditions, effect, reason }) => ({
      statements: [...conditions, ...verbsOf(effect, scope.marks)],
      reason,
    })),
    reason,
  });
  return { sets, chains: chains.map(compileChain) };
}

function isEntry(place: PlannedChain["place"]): place is EntryPlace {
  return place in HOOKS;
}
