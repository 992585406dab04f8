/**
 * Conditions and rules that several concerns need. Pure.
 * @module
 */
import type { Protocol } from "../../config/types.ts";
import { LOOPBACK } from "../../constants.ts";
import { listenerAddress } from "../../net/families.ts";
import type { Endpoint, Family } from "../../net/ip.ts";
import type { Condition } from "./rules/condition.ts";
import { type Effect, LEAVE, PASS } from "./rules/effect.ts";
import { comesFrom } from "./rules/interface_match.ts";
import type { PlannedRule } from "./model.ts";
import type { Scope } from "./scope.ts";

/** Every segment. */
export const TCP: Condition = { kind: "protocol", protocols: ["tcp"] };
/** Every datagram. */
export const UDP: Condition = { kind: "protocol", protocols: ["udp"] };

/** A segment of a connection that has a transparent socket on this machine. */
export const CONNECTED: readonly Condition[] = [TCP, { kind: "connected-socket" }];

/** Addresses that this machine answers for, or hears. */
function ownAddress(negate: boolean): Condition {
  return { kind: "destination-type", types: ["local", "broadcast", "anycast", "multicast"], negate };
}

/** The packet is for another machine. Costs a routing lookup, so most forwarded packets never reach it. */
export const FOR_OTHERS: Condition = ownAddress(true);

/** The first rule of chains that take packets out of their way. */
export const EXEMPT_OWN: PlannedRule = {
  conditions: [ownAddress(false)],
  effect: LEAVE,
  reason: "The router's own services, SSH among them, are never intercepted",
};

/** The first rule of chains that bring packets to sockets that seem to be their flows'. */
export const EXEMPT_WILDCARD: PlannedRule = {
  conditions: [{ kind: "wildcard-socket" }],
  effect: PASS,
  reason: "A program listens on all addresses; the flow is not its own for that",
};

/** Asks whether the packet begins a flow: a bare SYN, or any datagram. */
export function newFlow(protocol: Protocol): Condition {
  return protocol === "tcp" ? { kind: "bare-syn" } : UDP;
}

/** Asks whether the packet comes from the loopback interface, or from elsewhere. */
export function fromLoopback({ negate }: { negate: boolean }): Condition {
  return { kind: "input-interface-name", name: LOOPBACK, negate };
}

/** Refuses new flows. */
export function refuseFlows({ protocols }: Scope): PlannedRule[] {
  return protocols.map((protocol) => ({
    conditions: [newFlow(protocol)],
    effect: { kind: "refuse", protocol },
    reason: protocol === "tcp" ? "As if nobody listened there" : "The same for UDP",
  }));
}

/** Finds what `intercept.on-failure` does for lack of a proxy; `leave`: nothing, the packet goes on. */
export function failureEffect({ onFailure }: Scope, protocol: Protocol): Effect {
  switch (onFailure) {
    case "open":
      return LEAVE;
    case "reset":
      return { kind: "refuse", protocol };
    case "drop":
      return { kind: "drop", protocols: [protocol] };
    default:
      return onFailure satisfies never;
  }
}

/** Plans the rules for new flows for lack of a proxy. `why` is their reason. */
export function planFailure(scope: Scope, protocols: readonly Protocol[], why: string): PlannedRule[] {
  if (scope.onFailure === "open") return [];
  return protocols.map((protocol) => ({
    conditions: [newFlow(protocol)],
    effect: failureEffect(scope, protocol),
    reason: `intercept.on-failure: ${scope.onFailure}; ${why}`,
  }));
}

/** Most of what a router forwards leaves the chain here. */
export const OTHER_TCP_PASSES: PlannedRule = {
  conditions: [TCP],
  effect: PASS,
  reason: "All other TCP goes on its way",
};

/** The same as the first rule, before a look into a set of interfaces: where no such segment is awaited. */
export const NO_BARE_SYN: PlannedRule = {
  conditions: [{ kind: "no-bare-syn" }],
  effect: LEAVE,
  reason: "Nearly all that a router forwards",
};

/** Plans the first rule for packets of clients. */
export function onlyFromClients({ lan }: Scope): PlannedRule {
  return {
    conditions: [comesFrom(lan, { negate: true })],
    effect: LEAVE,
    reason: "Only what comes from clients",
  };
}

/** Excludes the other family where only one is intercepted: its transparent sockets are other programs'. */
export function excludeOtherFamily({ families }: Scope): PlannedRule[] {
  if (families.length !== 1) return [];
  return [{
    conditions: [{ kind: "family", family: families[0] === "ipv4" ? "ipv6" : "ipv4" }],
    effect: LEAVE,
    reason: `intercept.families: ${families[0]} only`,
  }];
}

/** Names a listener on the loopback address. */
export function listenerAt(family: Family, port: number): Endpoint {
  return { address: listenerAddress(family), port };
}
