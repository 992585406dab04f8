/**
 * The chain `injected`: first packets of clients that the proxy has held come in once more, from the
 * loopback interface. Their TTL (IPv6: hop limit) tells whether they are refused; all others go on to
 * `receive`. Pure.
 * @module
 */
import { VERDICT_TTL } from "../../../constants.ts";
import type { Family } from "../../../net/ip.ts";
import type { OpenChain } from "../contribution.ts";
import type { PlannedRule } from "../model.ts";
import { TCP } from "../phrases.ts";
import type { Scope } from "../scope.ts";
import { tellErrors } from "./refusals.ts";

/** The chain. */
export const INJECTED_CHAIN = "injected";

/** Plans the chain. */
export function planInjected(scope: Scope): OpenChain {
  return {
    name: INJECTED_CHAIN,
    place: "live-step",
    rules: scope.families.flatMap((family) => planRefusals(scope, family)),
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
