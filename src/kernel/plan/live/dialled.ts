/**
 * Errors that this router itself makes of what the proxy dials: its server's neighbour is silent, a rule of
 * output refuses it. They are addressed to the client, whose address the dial has; the client, which knows
 * another sequence number, does not believe them. So they go to the dial's socket. Pure.
 * @module
 */
import { recallMarks } from "../concerns/forward_path/flow_marks.ts";
import type { OpenChain } from "../contribution.ts";
import type { PlannedRule } from "../model.ts";
import { newFlow } from "../phrases.ts";
import { LEAVE } from "../rules/effect.ts";
import type { Scope } from "../scope.ts";
import { dialledSet } from "./memory.ts";
import type { LiveOptions } from "./options.ts";

/** The chain of what is dialled. */
const DIAL_CHAIN = "dial";

/** Plans the chain, none where it has nothing to do. */
export function planDial(scope: Scope, options: LiveOptions): OpenChain[] {
  const { families, protocols, tcp } = scope;
  // TCP alone: the client of a datagram understands such errors.
  const remembered = !tcp ? [] : families.map((family): PlannedRule => ({
    conditions: [{ kind: "family", family }, newFlow("tcp"), { kind: "transparent-socket" }],
    effect: { kind: "remember", family, set: dialledSet(family), answer: true },
    reason: "A dial with an address that is not the router's",
  }));
  const rules = [...recallMarks(scope, options, { protocols }), ...remembered];
  if (rules.length === 0) return [];
  return [{ name: DIAL_CHAIN, place: "live-step", rules, reason: "What leaves in clients' names" }];
}

/** Plans the rules for the errors. */
export function planDialErrors({ families, clientZone }: Scope): PlannedRule[] {
  return [
    {
      conditions: [{ kind: "zone", zone: clientZone }],
      effect: LEAVE,
      reason: "What clients are told in servers' names",
    },
    ...families.map((family): PlannedRule => ({
      conditions: [
        { kind: "family", family },
        { kind: "icmp-error", family, error: "unreachable" },
        { kind: "related-flow" },
        { kind: "original-flow", family, set: dialledSet(family) },
      ],
      effect: { kind: "loop-back", noted: false },
      reason: "An error about a dial: to its socket",
    })),
  ];
}
