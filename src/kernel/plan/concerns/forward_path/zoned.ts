/**
 * The client's leg as the proxy sends it: conntrack sees it in a zone of its own, apart from the client's
 * own flow and from the upstream leg, which have the same addresses and ports. Pure.
 * @module
 */
import { CLIENT_PRIORITY } from "../../../../constants.ts";
import type { Contribution } from "../../contribution.ts";
import type { PlannedRule } from "../../model.ts";
import { TCP } from "../../phrases.ts";
import type { Condition } from "../../rules/condition.ts";
import type { Scope } from "../../scope.ts";
import { ON_LOOPBACK } from "../life.ts";

/** The packet comes from a socket of the proxy towards a client. */
export const TO_CLIENT: Condition = { kind: "priority", priority: CLIENT_PRIORITY };

/** Plans the chain `zoned`. */
export function planZoned(scope: Scope): Contribution {
  return {
    chains: [{
      name: "zoned",
      place: "to-clients",
      rules: [...planOwn(scope), {
        conditions: [TO_CLIENT],
        effect: { kind: "client-leg", zone: scope.clientZone },
        reason: "Sockets towards clients have this priority (SO_PRIORITY), which no routing rule asks for",
      }],
      reason: "What the proxy sends to clients, or in a client's name to itself",
    }],
  };
}

/** Keeps the flows of the router's own programs where those programs' packets are. */
function planOwn({ ownTraffic, marks, tcp }: Scope): PlannedRule[] {
  if (!ownTraffic) return [];
  const unmarked: Condition = { kind: "mark-bits", mask: marks.router, negate: true };
  const rule = (conditions: readonly Condition[], reason: string): PlannedRule => ({
    conditions: [ON_LOOPBACK, ...conditions, unmarked],
    effect: { kind: "loop-back", noted: false },
    reason,
  });
  return [
    rule(
      [TO_CLIENT],
      "Answers to the router's own programs. Others may save the mark of a packet as that of its flow: both ways have what the flow needs",
    ),
    ...(tcp
      ? [rule([TCP, { kind: "transparent-socket" }], "The same before the proxy has accepted the connection")]
      : []),
  ];
}
