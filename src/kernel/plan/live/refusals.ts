/**
 * Refusals of first packets by ICMP. About a packet that is delivered to this machine the kernel would send
 * an IPv4 error from the server's address, for which it finds no route: so such a packet is sent the usual
 * way, and refused as it leaves. Pure.
 * @module
 */
import { VERDICT_TTL } from "../../../constants.ts";
import type { Family } from "../../../net/ip.ts";
import { recallMarks } from "../concerns/forward_path/flow_marks.ts";
import type { OpenChain } from "../contribution.ts";
import type { PlannedRule } from "../model.ts";
import { rememberAnswered } from "../concerns/forward_path/receipt.ts";
import { TCP, UDP } from "../phrases.ts";
import { goTo, type Refusal } from "../rules/effect.ts";
import type { Scope } from "../scope.ts";
import { ANSWER_CHAIN } from "./answers.ts";
import type { LiveOptions } from "./options.ts";

/** Verdicts, and the errors that tell of them. TCP has a reset for the first. */
const ERRORS: readonly (readonly [ttl: number, answer: Refusal, reason: string])[] = [
  [VERDICT_TTL.reset, "port-unreachable", "Nobody takes datagrams there"],
  [VERDICT_TTL.hostUnreachable, "host-unreachable", "The server does not answer on its link"],
  [VERDICT_TTL.netUnreachable, "no-route", "There is no way to the server"],
  [VERDICT_TTL.adminProhibited, "admin-prohibited", "A firewall on the way refuses it"],
  [VERDICT_TTL.portUnreachable, "port-unreachable", "Nobody listens there"],
];

/** The chain of first packets on their way out. */
export const HELD_CHAIN = "held";

/** Plans the rules that send errors. */
function tellErrors(family: Family): PlannedRule[] {
  return ERRORS.map(([ttl, answer, reason]) => ({
    conditions: [
      { kind: "family", family },
      { kind: "ttl", family, ttl },
      ...(ttl === VERDICT_TTL.reset ? [UDP] : []),
    ],
    effect: { kind: "refuse-with", answer },
    reason,
  }));
}

/** Plans the chain. */
export function planHeld(scope: Scope, options: LiveOptions): OpenChain {
  const { families, tcp, udp } = scope;
  return {
    name: HELD_CHAIN,
    place: "live-step",
    rules: [
      ...(tcp ? recallMarks(scope, options, { protocols: ["tcp"] }) : []),
      ...(families.includes("ipv4") ? tellErrors("ipv4") : []),
      ...(udp
        ? [{ conditions: [UDP], effect: goTo(ANSWER_CHAIN), reason: "A datagram to a client, not from one" }]
        : []),
    ],
    reason: "To conntrack the error belongs to the client's flow, so every firewall lets it pass",
  };
}

/** The chain of first packets that come in once more, from the loopback interface. */
export const INJECTED_CHAIN = "injected";

/** Plans it: their TTL (IPv6: hop limit) tells whether they are refused; all others go on to `receive`. */
export function planInjected(scope: Scope): OpenChain {
  return {
    name: INJECTED_CHAIN,
    place: "live-step",
    rules: scope.families.flatMap((family) => [
      ...planRefusals(scope, family),
      ...rememberAnswered(scope, family),
    ]),
    reason: "To conntrack the answer belongs to the client's flow, so every firewall lets it pass",
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
