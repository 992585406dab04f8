/**
 * Errors that this router itself makes of what the proxy dials: its server's neighbour is silent, a rule of
 * output refuses it. They are addressed to the client, whose address the dial has; the client, which knows
 * another sequence number, does not believe them. So they go to the dial's socket. Pure.
 * @module
 */
import type { Family } from "../../../net/ip.ts";
import type { Contribution } from "../contribution.ts";
import { newFlow } from "../phrases.ts";
import type { Condition } from "../rules/condition.ts";
import { LEAVE } from "../rules/effect.ts";
import type { Scope } from "../scope.ts";
import { dialledSet } from "./memory.ts";

/** Plans the chains; none without TCP, as the client of a datagram understands them. */
export function planDialled({ tcp, families, clientZone }: Scope): Contribution {
  if (!tcp) return {};
  const ofProxy: Condition = { kind: "zone", zone: clientZone };
  const of = (family: Family): Condition => ({ kind: "family", family });
  return {
    chains: [
      {
        name: "dialled",
        place: "dialled",
        rules: [
          { conditions: [ofProxy], effect: LEAVE, reason: "Clients' legs" },
          ...families.map((family) => ({
            conditions: [
              of(family),
              newFlow("tcp"),
              { kind: "transparent-socket" },
            ] as const,
            effect: { kind: "remember", family, set: dialledSet(family), answer: true } as const,
            reason: "A dial with an address that is not the router's",
          })),
        ],
        reason: "What leaves in clients' names",
      },
      {
        name: "dial_errors",
        place: "dial-errors",
        rules: [
          { conditions: [ofProxy], effect: LEAVE, reason: "What clients are told in servers' names" },
          ...families.map((family) => ({
            conditions: [
              of(family),
              { kind: "icmp-error", family, error: "unreachable" },
              { kind: "related-flow" },
              { kind: "original-flow", family, set: dialledSet(family) },
            ] as const,
            effect: { kind: "loop-back", noted: false } as const,
            reason: "To the socket",
          })),
        ],
        reason: "Errors that the router itself sends about it",
      },
    ],
  };
}
