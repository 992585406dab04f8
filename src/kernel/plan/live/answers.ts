/**
 * The chain `answer`: what the proxy sends to clients by UDP keeps their flows known. Pure.
 * @module
 */
import { UNSENT_TTL } from "../../../constants.ts";
import { ON_LOOPBACK } from "../concerns/life.ts";
import type { OpenChain } from "../contribution.ts";
import type { PlannedRule } from "../model.ts";
import { UDP } from "../phrases.ts";
import { LEAVE } from "../rules/effect.ts";
import type { Scope } from "../scope.ts";
import { knownSet } from "./memory.ts";

/** The chain. */
export const ANSWER_CHAIN = "answer";

/** Plans the chain. */
export function planAnswer({ families }: Scope): OpenChain {
  const unsent = families.map((family): PlannedRule => ({
    conditions: [{ kind: "family", family }, { kind: "ttl", family, ttl: UNSENT_TTL }],
    effect: { kind: "drop", protocols: ["udp"] },
    reason: "Nobody's datagram: conntrack has seen an answer now, so the client's next one is established",
  }));
  const renewed = families.map((family): PlannedRule => ({
    conditions: [{ kind: "family", family }, UDP],
    effect: { kind: "remember", family, set: knownSet(family), answer: false },
    reason: "A flow that is answered asks no more; conntrack has seen both sides of it",
  }));
  return {
    name: ANSWER_CHAIN,
    place: "live-step",
    rules: [
      { conditions: [ON_LOOPBACK], effect: LEAVE, reason: "What goes to the proxy itself" },
      ...renewed,
      ...unsent,
    ],
    reason: "Datagrams to clients",
  };
}
