/**
 * Rules of sessions that another process has begun: its numbers become those of the config in force here, by
 * the names. Pure.
 * @module
 */
import { DEFAULT_RULE } from "../../policy/policy.ts";
import type { RuleNames } from "../shared/books.ts";
import { GIVEN_CONNECTION, GIVEN_CONNECTION_WORDS, type GivenConnections } from "./connections.ts";
import { UNDECIDED } from "../shared/totals.ts";
import {
  GIVEN_FLOW,
  GIVEN_FLOW_WORDS,
  GIVEN_SESSION,
  GIVEN_SESSION_WORDS,
  type WorkerEstate,
} from "./estate.ts";

/** No generation has it: other rules may decide on the flow when its session has ended. */
const GONE = -1;

/** Writes the numbers of this process over those of the other. `theirs`: its generations. */
export function translateRules(
  { udp }: WorkerEstate,
  theirs: readonly RuleNames[],
  ours: RuleNames,
): void {
  if (udp === null) return;
  const translate = translator(theirs, ours);
  const { sessions, flows } = udp;
  for (let at = 0; at < sessions.length; at += GIVEN_SESSION_WORDS) {
    const rule = at + GIVEN_SESSION.rule;
    sessions[rule] = liveRule(translate(sessions[at + GIVEN_SESSION.generation], sessions[rule]), ours);
  }
  for (let at = 0; at < flows.length; at += GIVEN_FLOW_WORDS) {
    const [rule, generation] = [at + GIVEN_FLOW.rule, at + GIVEN_FLOW.generation];
    const known = flows[rule];
    flows[rule] = translate(flows[generation], known);
    flows[generation] = known >= 0 && flows[rule] < 0 ? GONE : ours.generation;
  }
}

/** Does the same for connections; upstreams are translated too: see {@linkcode RuleNames.upstreams}. */
export function translateConnections(
  { rows }: GivenConnections,
  theirs: readonly RuleNames[],
  ours: RuleNames,
): void {
  const translate = translator(theirs, ours);
  for (let at = 0; at < rows.length; at += GIVEN_CONNECTION_WORDS) {
    const generation = rows[at + GIVEN_CONNECTION.generation];
    const [rule, carrier] = [at + GIVEN_CONNECTION.rule, at + GIVEN_CONNECTION.carrier];
    rows[rule] = liveRule(translate(generation, rows[rule]), ours);
    const name = theirs.find((names) => names.generation === generation)?.upstreams?.[rows[carrier] - 1];
    rows[carrier] = name === undefined ? 0 : (ours.upstreams ?? []).indexOf(name) + 1;
  }
}

/** Returns what makes the number of a rule of one of their generations ours. */
function translator(
  theirs: readonly RuleNames[],
  ours: RuleNames,
): (generation: number, rule: number) => number {
  const numbers = new Map(ours.rules.map((name, rule) => [name, rule]));
  return (generation, rule) => {
    if (rule < 0) return rule;
    const name = theirs.find((names) => names.generation === generation)?.rules[rule];
    return name === undefined ? UNDECIDED : numbers.get(name) ?? UNDECIDED;
  };
}

/** Corrects the rule of a session: where there are no rules, nobody has asked any. */
function liveRule(rule: number, { rules }: RuleNames): number {
  return rules.length === 0 && rule === DEFAULT_RULE ? UNDECIDED : rule;
}
