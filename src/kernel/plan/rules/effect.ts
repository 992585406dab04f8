/**
 * Effects: what a rule of the plan does with the packets that meet its conditions, in the program's own
 * words. Each backend has verbs of its own for them. Pure.
 * @module
 */
import type { Protocol } from "../../../config/types.ts";
import type { Endpoint, Family } from "../../../net/ip.ts";

/**
 * The effect of a rule. All end the packet's way through the chain but those that say "The next rule is met".
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
  | NftEffect;

/** An effect of plans that are made for nf_tables: the router's own traffic, `admission: forward-path`. */
export type NftEffect =
  /**
   * A packet of the router itself goes to the loopback interface. `noted`: so do the next ones of its flow.
   */
  | { readonly kind: "loop-back"; readonly noted: boolean }
  /** The note on the flow goes. The next rule is met. */
  | { readonly kind: "forget-note" }
  /** A packet from the loopback interface goes to the proxy's listener. */
  | { readonly kind: "receive"; readonly to: Endpoint }
  /** The proxy lives, for the packet's family. The next rule is met. */
  | { readonly kind: "show-life"; readonly set: string }
  | ForwardPathEffect;

/** An effect of plans with `admission: forward-path` alone. */
type ForwardPathEffect =
  /** The packet is of a flow for the proxy: it asks, on its further way. */
  | { readonly kind: "ask" }
  /** The same, wherever its flow goes: from client to client too. */
  | { readonly kind: "insist" }
  /** The packet asks as all others do. The next rule is met. */
  | { readonly kind: "insist-no-more" }
  /** The packet asks no more and goes on as if nothing were installed; `counted`: how many did so. */
  | { readonly kind: "forward"; readonly counted: boolean }
  /** The flow is remembered as one whose first packet asks, and goes on as any other. */
  | { readonly kind: "begin-question"; readonly family: Family; readonly set: string }
  /** The proxy is told that the flow goes from client to client. The next rule is met. */
  | { readonly kind: "tell-client-to-client" }
  /** The flow's first packet asks now, and is remembered no more. The next rule is met. */
  | { readonly kind: "end-question"; readonly family: Family; readonly set: string }
  /**
   * The mark of the flow is noted for a flow with the packet's addresses and ports (`original`: with those of
   * its first packet), where none is noted; or what is noted goes. The next rule is met.
   */
  | {
    readonly kind: "note-mark" | "forget-mark";
    readonly family: Family;
    readonly set: string;
    readonly original: boolean;
  }
  /**
   * The flow gets the mark that is noted for it (`answer`: for its answers' flow). The next rule is met.
   */
  | {
    readonly kind: "recall-mark";
    readonly family: Family;
    readonly set: string;
    readonly answer: boolean;
  }
  /** The packet belongs to the client's leg, which conntrack sees in a zone of its own. */
  | { readonly kind: "client-leg"; readonly zone: number }
  /** The same, and it goes to the proxy's listener. Without a listener the rule has no effect. */
  | { readonly kind: "listener"; readonly zone: number; readonly to: Endpoint }
  /** Its sender is told so, in the name of the destination. */
  | { readonly kind: "refuse-with"; readonly answer: Refusal }
  /** The original addresses and ports overwrite fields that nobody needs. The next rule is met. */
  | { readonly kind: "squeeze"; readonly protocol: Protocol }
  /** The proxy gets a copy of the packet, which vanishes. */
  | { readonly kind: "question"; readonly prefix: string; readonly group: number }
  /**
   * The proxy gets two: as the packet is, and with its original addresses and ports, where asked for with the
   * mark of its flow as its own. The packet vanishes.
   */
  | {
    readonly kind: "question-twice";
    readonly family: Family;
    readonly protocol: Protocol;
    readonly group: number;
    readonly tellsFlowMark: boolean;
  }
  /** NAT gives the flow the address that it has: no other rule changes that any more. */
  | { readonly kind: "keep-address"; readonly family: Family; readonly side: "source" | "destination" }
  /** The mark goes: the packet is routed as if nobody had marked it. */
  | { readonly kind: "unmark" }
  /** The packet has the mark of its socket again. */
  | { readonly kind: "restore-mark" }
  /** The bit of the mark goes by which a routing rule of our own has led the packet. */
  | { readonly kind: "unpin" }
  /** A packet of the router itself, which asks, goes to the loopback interface, and so do the next ones. */
  | { readonly kind: "take-own" }
  | WatchEffect;

/** An effect on flows that the kernel forwards until their name is read. */
type WatchEffect =
  /** The packet begins a flow that is to be watched: it asks for that. */
  | { readonly kind: "ask-watched" }
  /** Nobody watches: the packet asks no more and goes on as if nothing were installed. */
  | { readonly kind: "forward-unwatched" }
  /** The flow is remembered as one that is about to be watched, and goes on as any other. */
  | { readonly kind: "begin-watching"; readonly family: Family; readonly set: string }
  /** The flow is labelled. The next rule is met. */
  | { readonly kind: "label"; readonly label: number }
  /** A TCP option that is there goes. The next rule is met. */
  | { readonly kind: "reset-option"; readonly option: number }
  /** The proxy gets a copy of the packet, which goes on. */
  | { readonly kind: "copy"; readonly prefix: string; readonly group: number }
  /** The kernel holds the packet until the proxy says what becomes of it. Without a proxy it goes on. */
  | { readonly kind: "hold"; readonly queue: number };

/** An answer to the sender of a packet. */
export type Refusal = "tcp-reset" | "host-unreachable" | "no-route" | "admin-prohibited" | "port-unreachable";

/** The chain is not about the packet. */
export const LEAVE: Effect = { kind: "leave" };
/** The packet goes on its way. */
export const PASS: Effect = { kind: "pass" };
/** The packet goes to its socket, and conntrack sees it. */
export const TO_SOCKET: Effect = { kind: "socket", tracked: true };

/** Leads to another chain. */
export function goTo(chain: string): Effect {
  return { kind: "go", to: chain };
}
