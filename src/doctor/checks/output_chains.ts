/**
 * Firewalls of others at the output hook: the proxy answers clients and dials servers from here. Pure.
 * @module
 */
import { LOOPBACK } from "../../constants.ts";
import { CT_STATE } from "../../netlink/nft/expr/ct.ts";
import type { Check } from "../check.ts";
import type { FirewallFacts } from "../machine/firewalls.ts";
import { marksOf } from "../situation.ts";
import { type HookSubject, judgeHook } from "../firewall/findings.ts";

const SUBJECT: HookSubject = {
  id: "output-chains",
  hook: "output",
  packets: "packets of the proxy",
  wish({ packet }, situation) {
    const { clientSocket } = marksOf(situation);
    if (packet.output?.name === LOOPBACK) return { kind: "to-loopback" };
    if (packet.ctState === CT_STATE.established) return { kind: "established" };
    if (packet.ctState === CT_STATE.untracked) return { kind: "mark", mark: clientSocket };
    return { kind: "dials", to: packet.output?.name ?? "" };
  },
};

/** The check. */
export const outputChains: Check<FirewallFacts> = {
  id: "output-chains",
  read: ({ firewalls }) => firewalls(),
  judge: (facts, situation) => facts.obstacle === undefined ? judgeHook(facts, SUBJECT, situation) : [],
};
