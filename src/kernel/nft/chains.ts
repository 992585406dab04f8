/**
 * The intent as a table of nf_tables. Pure.
 * @module
 */
import {
  DIVERT_PRIORITY,
  DIVERT_REPLIES_PRIORITY,
  ROUTER_LOOPBACK_PRIORITY,
  ROUTER_PRIORITY,
  SERVED_PRIORITY,
  TABLE_NAME,
  UNTRACKED_PRIORITY,
} from "../../constants.ts";
import type { EntryPlace, Plan, PlannedChain } from "../plan/model.ts";
import type { ChainHook, CompiledChain, CompiledTable } from "./model.ts";
import { verbsOf } from "./verbs.ts";

/** The table's comment, by which it is known as ours. */
export const TABLE_COMMENT = "made by tproxy install";

const HOOKS: Readonly<Record<EntryPlace, ChainHook>> = {
  "from-clients": { hook: "prerouting", priority: DIVERT_PRIORITY },
  "from-elsewhere": { hook: "prerouting", priority: DIVERT_REPLIES_PRIORITY },
  "forwarded": { hook: "forward", priority: SERVED_PRIORITY },
  "to-clients": { hook: "output", priority: UNTRACKED_PRIORITY },
  "router-output": { type: "route", hook: "output", priority: ROUTER_PRIORITY },
  "router-loopback": { hook: "prerouting", priority: ROUTER_LOOPBACK_PRIORITY },
  "router-input": { hook: "input", priority: SERVED_PRIORITY },
};

/** Compiles the table that the plan wants. */
export function compileTable({ intent: { scope, sets, chains } }: Pick<Plan, "intent">): CompiledTable {
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
  return { name: TABLE_NAME, comment: TABLE_COMMENT, sets, chains: chains.map(compileChain) };
}

function isEntry(place: PlannedChain["place"]): place is EntryPlace {
  return place in HOOKS;
}
