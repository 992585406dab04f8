/**
 * Servers in the LAN: UDP that hosts behind the other interfaces have begun with them, through port forwards
 * or without NAT. Their answers look like new flows of a client; TCP tells by its flags. Pure.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import type { Condition } from "../rules/condition.ts";
import type { Contribution } from "../contribution.ts";
import { ofFlowIn, planFlowSets } from "./flow_set.ts";
import { comesFrom, leavesThrough } from "../rules/interface_match.ts";
import type { PlannedRule } from "../model.ts";
import { UDP } from "../phrases.ts";
import { rulesOf, type Scope } from "../scope.ts";

/** Longer than conntrack remembers a flow of UDP (nf_conntrack_udp_timeout_stream, 120 s). */
const REMEMBERED_SECONDS = 180;

function setName(family: Family): string {
  return `served_${family}`;
}

/**
 * Tells whether such flows must be remembered. Where new flows go through the forward path, conntrack tells
 * an answer by itself before the proxy is asked, but not before a rule refuses it.
 */
function remembers(scope: Scope): boolean {
  const { udp, admission, ownTraffic, otherwise } = scope;
  if (admission === "early" || ownTraffic) return udp;
  return udp && [...rulesOf("udp", scope), otherwise]
    .some(({ outcome }) => outcome.kind === "refuse" || outcome.kind === "program");
}

/** Plans the sets of flows, the chain that fills them, and the rules that let answers pass. */
export function planLanServers(scope: Scope): Contribution {
  const { families, lan } = scope;
  if (!remembers(scope)) return {};
  return {
    sets: planFlowSets(families, {
      nameOf: setName,
      timeoutSeconds: REMEMBERED_SECONDS,
      reason: "UDP that others have begun with servers in the LAN, as the answers are addressed",
    }),
    chains: [{
      name: "served",
      place: "forwarded",
      rules: rememberBegun(
        scope,
        [comesFrom(lan, { negate: true }), leavesThrough(lan)],
        "Whoever has begun a flow with a server in the LAN gets its answers",
      ),
      reason: "What comes here has passed the router's firewall, and NAT has given it its destination",
    }],
    at: {
      answers: families.map((family) => ({
        conditions: ofFlowIn(setName(family), family),
        effect: { kind: "pass-answer", family, set: setName(family) },
        reason: "Answers to who has begun the flow from elsewhere, as through a port forward",
      })),
    },
  };
}

/** Remembers flows of UDP whose first packets meet the conditions. */
export function rememberBegun(
  { families }: Scope,
  begun: readonly Condition[],
  reason: string,
): PlannedRule[] {
  return families.map((family) => ({
    conditions: [...begun, { kind: "family", family }, UDP, { kind: "original-direction" }],
    effect: { kind: "remember", family, set: setName(family), answer: false },
    reason,
  }));
}
