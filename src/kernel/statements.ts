/**
 * Statements that many rules end with. Pure.
 * @module
 */
import type { Config, Protocol } from "../config/types.ts";
import { SOCKET_MARK_SHIFT } from "../constants.ts";
import type { Statement } from "./model.ts";

/** The packet goes on its way. */
export const ACCEPT: Statement = { kind: "verdict", verdict: "accept" };
/** The rest of the chain does not matter for the packet. */
export const RETURN: Statement = { kind: "verdict", verdict: "return" };
/** The packet vanishes. */
export const DROP: Statement = { kind: "verdict", verdict: "drop" };
/** Conntrack does not see the packet. */
export const NOTRACK: Statement = { kind: "notrack" };

/** What begins a flow: a bare SYN, or any datagram. */
export function newFlow(protocol: Protocol): Statement {
  return protocol === "tcp" ? { kind: "bare-syn" } : { kind: "protocol", protocols: ["udp"] };
}

/** What a client is told that is refused. */
export function refuse(protocol: Protocol): Statement {
  return { kind: "reject", answer: protocol === "tcp" ? "tcp-reset" : "port-unreachable" };
}

/** The mark that delivers a packet to this machine. */
export function deliverLocally({ kernel }: Config): Statement {
  return { kind: "set-mark", mask: kernel.mark };
}

/** The mark (SO_MARK) of the sockets towards clients, given the mark of intercepted packets. */
export function socketMark(mark: number): number {
  return mark * 2 ** SOCKET_MARK_SHIFT;
}
