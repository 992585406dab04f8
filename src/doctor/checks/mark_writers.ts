/**
 * Rules of others that write the whole packet mark after ours has been set: early, the packet is then
 * forwarded although it has a socket, and dropped. In the forward path our mark is set after theirs. Pure.
 * @module
 */
import { DIVERT_PRIORITY } from "../../constants.ts";
import type { Check } from "../check.ts";
import type { Finding } from "../finding.ts";
import { keptMark } from "../firewall/effects.ts";
import { judgeEarlyRules } from "../firewall/early_rules.ts";
import { findForClients } from "../firewall/subjects.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import { marksOf, type Situation } from "../situation.ts";

/** The check. */
export const markWriters: Check<FirewallFacts> = {
  id: "mark-writers",
  read: ({ firewalls }) => firewalls(),
  judge: judgeMarkWriters,
};

/** Makes a finding for each rule that takes our mark away. */
export function judgeMarkWriters(facts: FirewallFacts, situation: Situation): Finding[] {
  const { intercepted } = marksOf(situation);
  const writers = findForClients(facts, {
    hooks: ["prerouting"],
    does: (expressions) => ((keptMark(expressions) ?? intercepted) & intercepted) === 0,
  }, situation).filter(({ of }) => of.chain.base!.priority > DIVERT_PRIORITY);
  return judgeEarlyRules(writers, {
    id: "mark-writers",
    none: "no rule in prerouting writes over our mark",
    harmless: "it writes the whole mark, which does no harm: ours is set after it",
    blocks: true,
    cause: "It writes the whole mark of clients' packets: ours is lost, and the packet too",
    remedy: "Have it write its own bits alone (a mask), or set intercept.admission to forward-path",
  }, situation);
}
