/**
 * Rules of sessions that another process has begun: its numbers become those of the config in force here, by
 * the names. Pure.
 * @module
 */
import { DEFAULT_RULE } from "../../policy/policy.ts";
import type { RuleNames } from "../shared/books.ts";
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
  const numbers = new Map(ours.rules.map((name, rule) => [name, rule]));
  const translate = (generation: number, rule: number): number => {
    if (rule < 0) return rule;
    const name = theirs.find((names) => names.generation === generation)?.rules[rule];
    return name === undefined ? UNDECIDED : numbers.get(name) ?? UNDECIDED;
  };
  const { sessions, flows } = udp;
  for (let at = 0; at < sessions.length; at += GIVEN_SESSION_WORDS) {
    const rule = at + GIVEN_SESSION.rule;
    sessions[rule] = translate(sessions[at + GIVEN_SESSION.generation], sessions[rule]);
    if (ours.rules.length === 0 && sessions[rule] === DEFAULT_RULE) sessions[rule] = UNDECIDED;
  }
  for (let at = 0; at < flows.length; at += GIVEN_FLOW_WORDS) {
    const [rule, generation] = [at + GIVEN_FLOW.rule, at + GIVEN_FLOW.generation];
    const known = flows[rule];
    flows[rule] = translate(flows[generation], known);
    flows[generation] = known >= 0 && flows[rule] < 0 ? GONE : ours.generation;
  }
}
