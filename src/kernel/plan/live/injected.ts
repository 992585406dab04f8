/**
 * The chain `injected`: first packets of clients that the proxy has held come in once more, from the
 * loopback interface. Their TTL (IPv6: hop limit) tells what becomes of them. Pure.
 * @module
 */
import { VERDICT_TTL } from "../../../constants.ts";
import type { Family } from "../../../net/ip.ts";
import type { Contribution } from "../contribution.ts";
import type { PlannedRule } from "../model.ts";
import { fromLoopback, listenerAt, newFlow, TCP } from "../phrases.ts";
import type { Condition } from "../rules/condition.ts";
import { tellErrors } from "./refusals.ts";
import type { Scope } from "../scope.ts";
import { acceptingSet, answeredSet } from "./memory.ts";

/** The chain. */
export const INJECTED_CHAIN = "injected";

/** Plans the chain. */
export function planInjected(scope: Scope): Contribution {
  return {
    chains: [{
      name: INJECTED_CHAIN,
      place: "live-step",
      rules: scope.families.flatMap((family) => [
        ...planRefusals(scope, family),
        ...planAcceptance(scope, family),
      ]),
      reason: "To conntrack the answer belongs to the client's flow, so every firewall lets it pass",
    }, {
      name: "receive",
      place: "receive",
      rules: scope.families.flatMap((family) => planReceipt(scope, family)),
      reason:
        "Behind everybody's: fib looks up the way back of a packet that has a socket, which this has not",
    }],
  };
}

/**
 * Plans the refusals of packets that the loopback interface delivers. The ICMP errors of IPv4 come earlier,
 * while the packet goes out.
 */
function planRefusals({ tcp }: Scope, family: Family): PlannedRule[] {
  const reset: PlannedRule = {
    conditions: [{ kind: "family", family }, { kind: "ttl", family, ttl: VERDICT_TTL.reset }, TCP],
    effect: { kind: "refuse-with", answer: "tcp-reset" },
    reason: "The server refuses the connection",
  };
  return [...(tcp ? [reset] : []), ...(family === "ipv6" ? tellErrors(family) : [])];
}

function planAcceptance({ tcp }: Scope, family: Family): PlannedRule[] {
  if (!tcp) return [];
  const conditions: Condition[] = [{ kind: "family", family }, newFlow("tcp")];
  return [
    {
      conditions,
      effect: { kind: "remember", family, set: answeredSet(family), answer: true },
      reason: "In case the listener answers with a SYN cookie",
    },
    {
      conditions,
      effect: { kind: "remember", family, set: acceptingSet(family), answer: false },
      reason: "What the kernel sends before the connection is accepted: see accepting",
    },
  ];
}

function planReceipt({ protocols, clientZone, listenerPort }: Scope, family: Family): PlannedRule[] {
  return protocols.map((protocol): PlannedRule => ({
    conditions: [
      fromLoopback({ negate: false }),
      { kind: "zone", zone: clientZone },
      { kind: "family", family },
      newFlow(protocol),
    ],
    effect: { kind: "receive", to: listenerAt(family, listenerPort) },
    reason: "The server has answered: to the listener",
  }));
}
