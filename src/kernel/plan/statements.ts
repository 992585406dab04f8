/**
 * Statements that many rules end with. Pure.
 * @module
 */
import type { Config, Protocol } from "../../config/types.ts";
import { Marks } from "../../marks.ts";
import type { PlannedRule, Statement } from "./model.ts";

/** The packet goes on its way. */
export const ACCEPT: Statement = { kind: "verdict", verdict: "accept" };
/** The rest of the chain does not matter for the packet. */
export const RETURN: Statement = { kind: "verdict", verdict: "return" };
/** The packet vanishes. */
export const DROP: Statement = { kind: "verdict", verdict: "drop" };
/** Every segment. */
export const TCP: Statement = { kind: "protocol", protocols: ["tcp"] };
/** Every datagram. */
export const UDP: Statement = { kind: "protocol", protocols: ["udp"] };
/** Conntrack does not see the packet. */
export const NOTRACK: Statement = { kind: "notrack" };

/** Addresses that this machine answers for, or hears. */
function ownAddress(negate: boolean): Statement {
  return { kind: "destination-type", types: ["local", "broadcast", "anycast", "multicast"], negate };
}

/** Goes on where the packet is for another machine. It costs a look into the routing tables: what is forwarded is spared it. */
export const FOR_OTHERS: Statement = ownAddress(true);

/** The first rule of chains that take packets out of their way. */
export const SPARE_OWN: PlannedRule = {
  statements: [ownAddress(false), RETURN],
  reason: "The router's own services, SSH among them, are never intercepted",
};

/** What begins a flow: a bare SYN, or any datagram. */
export function newFlow(protocol: Protocol): Statement {
  return protocol === "tcp" ? { kind: "bare-syn" } : UDP;
}

/** What a client is told that is refused. */
export function refuse(protocol: Protocol): Statement {
  return { kind: "reject", answer: protocol === "tcp" ? "tcp-reset" : "port-unreachable" };
}

/** Refuses what begins a flow. */
export function planRefusals(protocols: readonly Protocol[]): PlannedRule[] {
  return protocols.map((protocol) => ({
    statements: [newFlow(protocol), refuse(protocol)],
    reason: protocol === "tcp" ? "As if nobody listened there" : "The same for UDP",
  }));
}

/** What `intercept.on-failure` wants for lack of a proxy: nothing (the packet goes on), or a rule that ends new flows. `why` is its reason. */
export function planFailure(
  { intercept: { onFailure } }: Config,
  protocol: Protocol,
  why: string,
): PlannedRule[] {
  if (onFailure === "open") return [];
  return [{
    statements: [newFlow(protocol), onFailure === "drop" ? DROP : refuse(protocol)],
    reason: `intercept.on-failure: ${onFailure}; ${why}`,
  }];
}

/** Whether UDP is intercepted. */
export function takesUdp({ intercept }: Config): boolean {
  return intercept.protocols.includes("udp");
}

/** The mark that delivers a packet to this machine. */
export function deliverLocally({ kernel }: Config): Statement {
  return { kind: "set-mark", mask: kernel.mark };
}

/** The mark (SO_MARK) of the sockets towards servers where the router's own traffic is intercepted. */
export function upstreamMark(mark: number): number {
  return new Marks(mark).serverSocket;
}

/** The bits of packets, and of flows, that the router itself has sent, given the mark of intercepted packets. */
export function routerMark(mark: number): number {
  return new Marks(mark).router;
}

/** The mark (SO_MARK) of the sockets towards clients, given the mark of intercepted packets. */
export function socketMark(mark: number): number {
  return new Marks(mark).clientSocket;
}
