/**
 * The kernel state that an install makes, as data: what is wanted, which either backend says in its own
 * words; and policy routing, which is the same for both. Pure.
 * @module
 */
import type { Family } from "../../net/ip.ts";
import type { Condition } from "./rules/condition.ts";
import type { Effect } from "./rules/effect.ts";
import type { Scope } from "./scope.ts";
import type { PlannedSet } from "./rules/set.ts";

/** A rule of a chain, and why it is there. */
export interface PlannedRule {
  /** All must hold. */
  readonly conditions: readonly Condition[];
  /** The effect on a packet that meets them. */
  readonly effect: Effect;
  /** The reason for it, for the administrator. */
  readonly reason: string;
}

/** A place at which packets enter a chain by themselves. */
export type EntryPlace =
  /** Incoming packets before conntrack: those of clients. */
  | "from-clients"
  /** Incoming packets after conntrack: those from elsewhere, to sockets with clients' addresses. */
  | "from-elsewhere"
  /** Forwarded packets, behind the filters. */
  | "forwarded"
  /** Outgoing packets of this machine before conntrack: those of the proxy to clients. */
  | "to-clients"
  /** Outgoing packets of this machine, where a mark still changes the route. */
  | "router-output"
  /** Marked packets that come in from the loopback interface. */
  | "router-loopback"
  /** Packets that are delivered to this machine, behind the filters. */
  | "router-input"
  | ForwardPathPlace;

/** An entry of plans with `admission: forward-path` alone. */
export type ForwardPathPlace =
  /** Incoming packets that nobody has taken, before conntrack. */
  | "unanswered"
  /** Incoming packets, right behind conntrack. */
  | "tracked"
  /** Incoming packets, before routing. */
  | "late"
  /** Outgoing packets of this machine that nobody has taken. */
  | "router-unanswered"
  | LivePlace;

/** An entry of the rules of a running proxy. */
export type LivePlace =
  /** Incoming packets, right behind `from-clients`. */
  | "steer"
  /** Packets that leave the machine, at the end. */
  | "ask"
  /** Incoming packets, behind marks and before NAT changes their destination. */
  | "hold"
  /** Outgoing packets of this machine, right behind conntrack. */
  | "sent"
  /** The first packets of flows, before NAT changes their addresses. */
  | "keep-incoming"
  | "keep-outgoing"
  | "keep-source"
  /** Outgoing packets of this machine, behind all others that mark. */
  | "keep-route"
  /** The same, when they have their routes. */
  | "sent-routed"
  /** Outgoing packets of this machine, right behind `router-output`. */
  | "router-steer";

/** A place to which rules lead. */
export type StepPlace =
  /** Says what becomes of a new flow of a client. */
  | "decision"
  /** Gives a new flow to a listener. */
  | "listener"
  /** Ends a flow, or lets it pass. */
  | "end"
  /** Tells for a packet that has a socket whether conntrack sees it. */
  | "accepted"
  /** A step of the router's own traffic. */
  | "router-step"
  /** A step of the rules of a running proxy. */
  | "live-step";

/** A chain. */
export interface PlannedChain {
  /** Its name in nft; iptables makes its own of it. */
  readonly name: string;
  /** Its packets come to it there. */
  readonly place: EntryPlace | StepPlace;
  /** In order; the first that ends the packet's way through the chain decides. */
  readonly rules: readonly PlannedRule[];
  /** The reason for it, for the administrator. */
  readonly reason: string;
}

/** A policy-routing rule: `ip rule add priority P fwmark M/M iif I lookup T protocol N`. */
export interface PlannedRoutingRule {
  /** Address family. */
  readonly family: Family;
  /** Lower comes first. */
  readonly priority: number;
  /** fwmark that matches (FRA_FWMARK). */
  readonly mark: number;
  /** Bits of the mark that count (FRA_FWMASK). */
  readonly mask: number;
  /** Interface that the packet comes from (FRA_IIFNAME). */
  readonly inputInterface: string;
  /** Number of the routing table in which a packet that matches is looked up. */
  readonly table: number;
  /** rtnetlink protocol number: by it the entry is known as ours. */
  readonly protocol: number;
}

/** A route that delivers everything locally: `ip route add local default dev lo table T protocol N`. */
export interface PlannedRoute {
  /** Address family. */
  readonly family: Family;
  /** Number of the routing table that the route stands in. */
  readonly table: number;
  /** rtnetlink protocol number: by it the entry is known as ours. */
  readonly protocol: number;
  /** Another program's route does the same already: it is used and left alone. */
  readonly foreign: boolean;
}

/** The packets that are taken and what becomes of them: what a backend compiles. */
export interface Intent {
  /** The facts that the rules go by. */
  readonly scope: Scope;
  /** Named sets. */
  readonly sets: readonly PlannedSet[];
  /** In an order in which every chain comes after those that it goes to. */
  readonly chains: readonly PlannedChain[];
}

/** Everything that an install puts into the kernel. No sysctl is among it. */
export interface Plan {
  /** The packets that are taken, and what becomes of them. */
  readonly intent: Intent;
  /** Policy-routing rules. */
  readonly routingRules: readonly PlannedRoutingRule[];
  /** Routes that deliver locally. */
  readonly routes: readonly PlannedRoute[];
  /** Interfaces whose clients are intercepted. */
  readonly lan: readonly string[];
  /** The other ones: replies to sockets with clients' addresses arrive there. */
  readonly others: readonly string[];
  /** Address families that are intercepted. */
  readonly families: readonly Family[];
  /** Sentences for the administrator, without a period. */
  readonly warnings: readonly string[];
}
