/**
 * Firewalls of others at the input hook: each of their chains must let packets to the proxy pass. Pure.
 * @module
 */
import { LOOPBACK } from "../../constants.ts";
import type { Check } from "../check.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import { marksOf } from "../situation.ts";
import { type HookSubject, judgeHook, notReadable } from "../firewall/findings.ts";

/** Flows that are taken early come in with our mark; later ones by the loopback, and as established. */
const SUBJECT: HookSubject = {
  id: "input-chains",
  hook: "input",
  packets: "packets that are delivered to the proxy",
  wish({ packet }, situation) {
    const { admission } = situation;
    if (admission.inForce === "early") {
      return { kind: "mark", mark: marksOf(situation).intercepted, from: packet.input!.name };
    }
    return packet.input?.name === LOOPBACK ? { kind: "from-loopback" } : { kind: "established" };
  },
};

/** The check. A kernel without nf_tables has a finding of that already. */
export const inputChains: Check<FirewallFacts> = {
  id: "input-chains",
  ofBrought: true,
  read: ({ firewalls }) => firewalls(),
  judge: (facts, situation) => [
    ...notReadable("input-chains", facts),
    ...facts.obstacle === undefined ? judgeHook(facts, SUBJECT, situation) : [],
  ],
};
