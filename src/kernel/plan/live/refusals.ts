/**
 * Refusals of first packets by ICMP. About a packet that is delivered to this machine the kernel would send
 * an IPv4 error from the server's address, for which it finds no route: so that packet is sent the usual way
 * once more, and refused as it leaves. Pure.
 * @module
 */
import { VERDICT_TTL } from "../../../constants.ts";
import type { Family } from "../../../net/ip.ts";
import type { Contribution, OpenChain } from "../contribution.ts";
import type { PlannedRule } from "../model.ts";
import { UDP } from "../phrases.ts";
import type { Condition } from "../rules/condition.ts";
import { goTo, type Refusal } from "../rules/effect.ts";
import type { Scope } from "../scope.ts";

/** Verdicts, and the errors that tell of them. TCP has a reset for the first. */
const ERRORS: readonly (readonly [ttl: number, answer: Refusal, reason: string])[] = [
  [VERDICT_TTL.reset, "port-unreachable", "Nobody takes datagrams there"],
  [VERDICT_TTL.hostUnreachable, "host-unreachable", "The server does not answer on its link"],
  [VERDICT_TTL.netUnreachable, "no-route", "There is no way to the server"],
  [VERDICT_TTL.adminProhibited, "admin-prohibited", "A firewall on the way refuses it"],
  [VERDICT_TTL.portUnreachable, "port-unreachable", "Nobody listens there"],
];

/** Plans the rules that send errors. */
export function tellErrors(family: Family): PlannedRule[] {
  return ERRORS.map(([ttl, answer, reason]) => ({
    conditions: conditionsOf(family, ttl),
    effect: { kind: "refuse-with", answer },
    reason,
  }));
}

/** Plans the chains `reroute` and `refuse`, and those that they lead to. */
export function planRefusals({ families, clientZone }: Scope): Contribution {
  if (!families.includes("ipv4")) return {};
  const unmarked = ERRORS.map(([ttl, , reason]): PlannedRule => ({
    conditions: conditionsOf("ipv4", ttl),
    effect: { kind: "unmark" },
    reason,
  }));
  return {
    chains: [
      {
        name: "rerouted",
        place: "live-step",
        rules: unmarked,
        reason: "First packets that are refused by ICMP do not go to the loopback interface",
      },
      {
        name: "refused",
        place: "live-step",
        rules: tellErrors("ipv4"),
        reason: "To conntrack the error belongs to the client's flow, so every firewall lets it pass",
      },
      lead("reroute", "rerouted", clientZone),
      lead("refuse", "refused", clientZone),
    ],
  };
}

function lead(name: "reroute" | "refuse", chain: string, zone: number): OpenChain {
  return {
    name,
    place: name,
    rules: [{
      conditions: [{ kind: "zone", zone }, { kind: "original-direction" }],
      effect: goTo(chain),
      reason: "First packets that are sent once more; all others are spared",
    }],
    reason: "Refusals of first packets",
  };
}

function conditionsOf(family: Family, ttl: number): Condition[] {
  return [
    { kind: "family", family },
    { kind: "ttl", family, ttl },
    ...(ttl === VERDICT_TTL.reset ? [UDP] : []),
  ];
}
