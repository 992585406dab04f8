/**
 * Effects: what a rule of the plan does with the packets that meet its conditions, in the program's own
 * words. Each backend has verbs of its own for them. Pure.
 * @module
 */
import type { Protocol } from "../../../config/types.ts";
import type { Endpoint, Family } from "../../../net/ip.ts";

/**
 * The effect of a rule. All but `remember`, `forget-note` and `show-life` end the packet's way through the
 * chain.
 */
export type Effect =
  /** The chain is not about this packet. */
  | { readonly kind: "leave" }
  /** The packet goes on as if nothing were installed. */
  | { readonly kind: "pass" }
  /** Another chain says what becomes of it. */
  | { readonly kind: "go"; readonly to: string }
  /**
   * The flow begins at the proxy's listener, unseen by conntrack. Without a listener the rule has no effect.
   */
  | { readonly kind: "proxy"; readonly protocol: Protocol; readonly to: Endpoint }
  /**
   * The flow begins at the listener of another program; conntrack sees it. Without a listener the rule has no
   * effect.
   */
  | { readonly kind: "program"; readonly protocol: Protocol; readonly to: Endpoint }
  /** The packet goes to the socket that its flow has on this machine. `tracked`: conntrack sees it. */
  | { readonly kind: "socket"; readonly tracked: boolean }
  /** Its sender is told that nobody listens. */
  | { readonly kind: "refuse"; readonly protocol: Protocol }
  /** The packet vanishes; its protocol is one of these. */
  | { readonly kind: "drop"; readonly protocols: readonly Protocol[] }
  /** Conntrack does not see it. */
  | { readonly kind: "untrack" }
  /**
   * The flow is remembered, or longer so, when its asker (`answer`: its answerer) sends. The next rule is
   * met.
   */
  | {
    readonly kind: "remember";
    readonly family: Family;
    readonly set: string;
    readonly answer: boolean;
  }
  /** An answer in a remembered flow passes, and the flow is remembered longer. */
  | { readonly kind: "pass-answer"; readonly family: Family; readonly set: string }
  /**
   * A packet of the router itself goes to the loopback interface. `noted`: so do the next ones of its flow.
   */
  | { readonly kind: "loop-back"; readonly noted: boolean }
  /** The note on the flow goes. The next rule is met. */
  | { readonly kind: "forget-note" }
  /** A packet from the loopback interface goes to the proxy's listener. */
  | { readonly kind: "receive"; readonly to: Endpoint }
  /** The proxy lives, for the packet's family. The next rule is met. */
  | { readonly kind: "show-life"; readonly set: string };

/** The chain is not about the packet. */
export const LEAVE: Effect = { kind: "leave" };
/** The packet goes on its way. */
export const PASS: Effect = { kind: "pass" };

/** Leads to another chain. */
export function goTo(chain: string): Effect {
  return { kind: "go", to: chain };
}
