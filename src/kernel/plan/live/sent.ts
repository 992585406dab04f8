/**
 * The chain `sent`: what the proxy sends, right behind conntrack. One chain for all of it, as every packet
 * that leaves this machine meets it. Pure.
 *
 * ```
 * sent ──┬─ of watched flows: released, refused
 *        ├─ to clients ── client_sent ─┬─ held: refused by ICMP
 *        │                             └─ answer: UDP stays known
 *        ├─ dialled ── dial: remembered
 *        └─ ICMP: errors about what is dialled
 * ```
 * @module
 */
import { DIALLED, DIALLED_TRANSLATED, TO_CLIENT } from "../concerns/forward_path/zoned.ts";
import type { Contribution } from "../contribution.ts";
import type { PlannedRule } from "../model.ts";
import { UDP } from "../phrases.ts";
import { goTo, LEAVE } from "../rules/effect.ts";
import type { Scope } from "../scope.ts";
import { ANSWER_CHAIN, planAnswer } from "./answers.ts";
import { planDial, planDialErrors } from "./dialled.ts";
import type { LiveOptions } from "./options.ts";
import { HELD_CHAIN, planHeld } from "./refusals.ts";
import { planResent } from "./watch.ts";

const CLIENT_CHAIN = "client_sent";

const SENT = {
  name: "sent",
  place: "sent",
  reason: "What the proxy sends, and errors that the router itself sends about it",
} as const;

const MOST: PlannedRule = {
  conditions: [{ kind: "no-bare-syn" }],
  effect: LEAVE,
  reason: "Nearly all that a proxy sends: segments of connections that stand",
};

/** Plans the chains. */
export function planSent(scope: Scope, options: LiveOptions): Contribution {
  const { tcp, udp, brings } = scope;
  const resent = planResent(scope);
  if (!brings) return { chains: resent.length === 0 ? [] : [{ ...SENT, rules: resent }] };
  const toClient: PlannedRule[] = [
    {
      conditions: [{ kind: "original-direction" }],
      effect: goTo(HELD_CHAIN),
      reason: "First packets that are sent once more; and datagrams that nobody asked for",
    },
    ...(udp ? [{ conditions: [UDP], effect: goTo(ANSWER_CHAIN), reason: "Answers" }] : []),
  ];
  const dial = planDial(scope, options);
  return {
    chains: [
      ...(udp ? [planAnswer(scope)] : []),
      planHeld(scope, options),
      { name: CLIENT_CHAIN, place: "live-step", rules: toClient, reason: "What the proxy sends to clients" },
      ...dial,
      {
        ...SENT,
        rules: [
          ...resent,
          ...(tcp ? [MOST] : []),
          { conditions: [TO_CLIENT], effect: goTo(CLIENT_CHAIN), reason: "By their priority" },
          ...dial.flatMap(({ name }) =>
            [DIALLED, DIALLED_TRANSLATED].map((dialled): PlannedRule => ({
              conditions: [dialled],
              effect: goTo(name),
              reason: "What the proxy dials",
            }))
          ),
          ...(tcp ? planDialErrors(scope) : []),
        ],
      },
    ],
  };
}
