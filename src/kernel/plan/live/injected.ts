/**
 * The chain `injected`: first packets of clients that the proxy has held come in once more, from the
 * loopback interface. Their TTL (IPv6: hop limit) tells what becomes of them. Pure.
 * @module
 */
import { VERDICT_TTL } from "../../../constants.ts";
import type { Family } from "../../../net/ip.ts";
import type { Contribution } from "../contribution.ts";
import type { PlannedRule } from "../model.ts";
import { listenerAt, newFlow, TCP, UDP } from "../phrases.ts";
import type { Condition } from "../rules/condition.ts";
import type { Refusal } from "../rules/effect.ts";
import type { Scope } from "../scope.ts";
import { answeredSet, knownSet } from "./memory.ts";

/** The chain. */
export const INJECTED_CHAIN = "injected";

/** The verdicts that the kernel itself carries out. */
const REFUSALS: readonly (readonly [ttl: number, answer: Refusal, reason: string])[] = [
  [VERDICT_TTL.reset, "port-unreachable", "The same for a datagram"],
  [VERDICT_TTL.hostUnreachable, "host-unreachable", "The server does not answer on its link"],
  [VERDICT_TTL.netUnreachable, "no-route", "There is no way to the server"],
  [VERDICT_TTL.adminProhibited, "admin-prohibited", "A firewall on the way refuses it"],
  [VERDICT_TTL.portUnreachable, "port-unreachable", "Nobody listens there"],
];

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
    }],
  };
}

function planRefusals({ tcp }: Scope, family: Family): PlannedRule[] {
  const told = (ttl: number): Condition[] => [{ kind: "family", family }, { kind: "ttl", family, ttl }];
  const reset: PlannedRule = {
    conditions: [...told(VERDICT_TTL.reset), TCP],
    effect: { kind: "refuse-with", answer: "tcp-reset" },
    reason: "The server refuses the connection",
  };
  return [
    ...(tcp ? [reset] : []),
    ...REFUSALS.map(([ttl, answer, reason]): PlannedRule => ({
      conditions: told(ttl),
      effect: { kind: "refuse-with", answer },
      reason,
    })),
  ];
}

function planAcceptance({ protocols, listenerPort }: Scope, family: Family): PlannedRule[] {
  return protocols.flatMap((protocol): PlannedRule[] => {
    const first: Condition[] = [{ kind: "family", family }, newFlow(protocol)];
    const set = protocol === "tcp" ? answeredSet(family) : knownSet(family);
    return [
      {
        conditions: protocol === "tcp" ? first : [{ kind: "family", family }, UDP],
        effect: { kind: "remember", family, set, answer: true },
        reason: protocol === "tcp"
          ? "In case the listener answers with a SYN cookie"
          : "The next datagrams do not ask",
      },
      {
        conditions: first,
        effect: { kind: "receive", to: listenerAt(family, listenerPort) },
        reason: "The server has answered: to the listener",
      },
    ];
  });
}
