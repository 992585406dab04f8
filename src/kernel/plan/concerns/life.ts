/**
 * Signs of life: a running proxy shows itself to the rules by datagrams to itself. Only the router's own
 * traffic needs it: for clients, TPROXY finds out whether somebody listens. Pure.
 * @module
 */
import { ALIVE_SECONDS, LOOPBACK } from "../../../constants.ts";
import { RUNNING_SET, signLength } from "../../liveness/sign_size.ts";
import type { Condition } from "../rules/condition.ts";
import type { Contribution } from "../contribution.ts";
import { PASS } from "../rules/effect.ts";
import type { PlannedRule } from "../model.ts";
import { UDP } from "../phrases.ts";
import type { Scope } from "../scope.ts";

/** The packet stays on the router. */
export const ON_LOOPBACK: Condition = { kind: "output-interface-name", name: LOOPBACK };

/** Plans the set, and the rules among the proxy's packets that fill it. */
export function planLife(scope: Scope): Contribution {
  const { ownTraffic, families, marks } = scope;
  if (!ownTraffic) return {};
  const ofProxy: Condition[] = [ON_LOOPBACK, { kind: "mark", mark: marks.clientSocket }];
  return {
    sets: [{
      name: RUNNING_SET,
      type: "nf_proto",
      elements: [],
      timeoutSeconds: ALIVE_SECONDS,
      size: 2,
      reason: "Address families that a running proxy serves: it shows itself over and over",
    }],
    at: {
      "signs of life": [
        ...families.map((family): PlannedRule => ({
          conditions: [
            ...ofProxy,
            { kind: "family", family },
            UDP,
            { kind: "packet-length", bytes: signLength(scope, family) },
          ],
          effect: { kind: "show-life", set: RUNNING_SET },
          reason:
            "A running proxy shows itself by datagrams to itself, whose size tells its port and protocols; nobody else may set this mark",
        })),
        {
          conditions: ofProxy,
          effect: { kind: "loop-back", noted: false },
          reason:
            "Other programs may save the mark of a packet as that of its flow: both ways have what the flow needs",
        },
        {
          conditions: [ON_LOOPBACK],
          effect: PASS,
          reason: "Conntrack sees both ways of the flows of the router's own programs",
        },
      ],
    },
  };
}
