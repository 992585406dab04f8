/**
 * The chain `steer`: what the decision has left asking goes to the listener, or further on its way, to ask
 * at its end. Pure.
 * @module
 */
import type { Contribution } from "../contribution.ts";
import type { PlannedRule } from "../model.ts";
import { fromLoopback, listenerAt, onlyFromClients, TCP, UDP } from "../phrases.ts";
import type { Condition } from "../rules/condition.ts";
import { goTo, LEAVE } from "../rules/effect.ts";
import { comesFrom } from "../rules/interface_match.ts";
import type { Scope } from "../scope.ts";
import { INJECTED_CHAIN } from "./injected.ts";
import { answeredSet, askingSet, knownSet } from "./memory.ts";
import type { LiveOptions } from "./options.ts";
import { steerWatched } from "./watch.ts";

/** RFC 2385 and RFC 5925: signed segments, which nobody but the sender can make. */
const SIGNATURES = [19, 29];

/** Plans the chain. */
export function planSteer(scope: Scope, { accepting }: LiveOptions): Contribution {
  const ofProxy: Condition = { kind: "zone", zone: scope.clientZone };
  return {
    chains: [{
      name: "steer",
      place: "steer",
      rules: [
        {
          conditions: [fromLoopback({ negate: false }), ofProxy],
          effect: goTo(INJECTED_CHAIN),
          reason: "First packets that the proxy has held, when their servers have answered",
        },
        onlyFromClients(scope),
        {
          conditions: [ofProxy],
          effect: LEAVE,
          reason: "Packets of accepted connections know their way",
        },
        ...(scope.udp ? planKnown(scope) : []),
        ...(accepting ? planAsking(scope) : []),
        ...(scope.tcp ? planAnswered(scope) : []),
      ],
      reason: "What asks for the proxy, right behind divert",
    }],
  };
}

function asksFor({ marks }: Scope): Condition {
  return { kind: "mark-bits", mask: marks.asks, negate: false };
}

function planKnown(scope: Scope): PlannedRule[] {
  const { families, bridged, clientZone, listenerPort } = scope;
  // A packet of such a bridge loses the socket that a rule gives it.
  const elsewhere = bridged === null ? [] : [comesFrom(bridged, { negate: true })];
  return families.map((family) => ({
    conditions: [
      asksFor(scope),
      ...elsewhere,
      { kind: "family", family },
      UDP,
      { kind: "remembered-flow", family, set: knownSet(family) },
    ],
    effect: { kind: "listener", zone: clientZone, to: listenerAt(family, listenerPort) },
    reason: "Further datagrams of a flow that the proxy relays",
  }));
}

function planAsking(scope: Scope): PlannedRule[] {
  const { families, protocols, tcp } = scope;
  const signed = SIGNATURES.map((option): PlannedRule => ({
    conditions: [asksFor(scope), TCP, { kind: "tcp-option", option }],
    effect: { kind: "forward", counted: true },
    reason: option === 19
      ? "TCP MD5 signatures, as of BGP: no proxy can carry them"
      : "TCP authentication, its successor",
  }));
  const asking = families.map((family): PlannedRule => ({
    conditions: [asksFor(scope), { kind: "family", family }, { kind: "protocol", protocols }],
    effect: { kind: "begin-question", family, set: askingSet(family) },
    reason: "On its way it is a packet as any other. Where there is no more room, it goes on asking here",
  }));
  return [...steerWatched(scope), ...(tcp ? signed : []), ...asking];
}

function planAnswered({ families, clientZone, listenerPort }: Scope): PlannedRule[] {
  return families.map((family) => ({
    conditions: [
      { kind: "family", family },
      { kind: "acknowledges" },
      { kind: "remembered-flow", family, set: answeredSet(family) },
    ],
    effect: { kind: "listener", zone: clientZone, to: listenerAt(family, listenerPort) },
    reason: "The end of a handshake with SYN cookies: until now there is no socket",
  }));
}
