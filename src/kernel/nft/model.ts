/**
 * A table of nf_tables as rules of statements: what is sent to the kernel, printed, and compared. Pure.
 * @module
 */
import type { Endpoint, Family } from "../../net/ip.ts";
import type { Original } from "../../netlink/nft/phrases.ts";
import type { Condition } from "../plan/rules/condition.ts";
import type { Refusal } from "../plan/rules/effect.ts";
import type { EntryPlace, StepPlace } from "../plan/model.ts";
import type { PlannedSet } from "../plan/rules/set.ts";

/** A verb of a rule. The comment above each is its text in nft. */
export type Verb =
  /**
   * `update @flows { ip daddr . … }`: remembers the flow, or remembers it longer, when its asker (`answer`:
   * its answerer) sends.
   */
  | {
    readonly kind: "remember-flow";
    readonly family: Family;
    readonly set: string;
    readonly answer: boolean;
  }
  /** `ct mark set ct mark | 0x3`, `ct mark set ct mark & 0xfffffffc` */
  | { readonly kind: "set-flow-bits"; readonly mask: number; readonly clear: boolean }
  /** `update @running { meta nfproto }`: the proxy shows itself. */
  | { readonly kind: "proxy-shows"; readonly set: string }
  /** `tproxy ip to 127.0.0.1:50080` */
  | { readonly kind: "tproxy"; readonly to: Endpoint }
  /** `meta mark set meta mark | 0x1` */
  | { readonly kind: "set-mark"; readonly mask: number }
  /** `notrack` */
  | { readonly kind: "notrack" }
  /** `reject with tcp reset`, `reject with icmpx port-unreachable` */
  | { readonly kind: "reject"; readonly answer: Refusal }
  /** `accept` */
  | { readonly kind: "verdict"; readonly verdict: "accept" | "drop" | "return" }
  /** `goto intercept`: what reaches the end of that chain reaches the end of the base chain. */
  | { readonly kind: "goto"; readonly chain: string }
  | ForwardPathVerb;

/** A verb of plans with `admission: forward-path` alone. */
export type ForwardPathVerb =
  /** `meta mark set meta mark & 0xfffffffb`, or with `set` bits `… & 0xfffffffb | 0x3` */
  | { readonly kind: "clear-mark"; readonly mask: number; readonly set: number }
  /** `meta mark set socket mark` */
  | { readonly kind: "restore-mark" }
  /** `meta mark set ct mark` */
  | { readonly kind: "take-flow-mark" }
  /** `ct zone set 50080` */
  | { readonly kind: "set-zone"; readonly zone: number }
  /** `ct label set 120` */
  | { readonly kind: "set-label"; readonly label: number }
  /** `reset tcp option 34` */
  | { readonly kind: "reset-tcp-option"; readonly option: number }
  /** `delete @asking_ipv4 { ct original ip saddr . … }` */
  | { readonly kind: "forget-original"; readonly family: Family; readonly set: string }
  /**
   * `add @marks_ipv4 { ip saddr . … : ct mark }`, `delete @marks_ipv4 { ct original ip saddr . … : ct mark }`
   */
  | {
    readonly kind: "note-mark" | "forget-mark";
    readonly family: Family;
    readonly set: string;
    readonly original: boolean;
  }
  /** `ct mark set ip saddr . … map @marks_ipv4`; with `answer` `ip daddr . …` */
  | {
    readonly kind: "recall-mark";
    readonly family: Family;
    readonly set: string;
    readonly answer: boolean;
  }
  /** `counter` */
  | { readonly kind: "counter" }
  /** `log prefix "p" group 50080 queue-threshold 1` */
  | { readonly kind: "log"; readonly prefix: string; readonly group: number }
  /** `queue flags bypass to 54176` */
  | { readonly kind: "queue"; readonly number: number }
  /**
   * `@th,64,32 set ct original ip saddr`: nothing else changes, no checksum either. nft has no words for most
   * of these.
   */
  | {
    readonly kind: "overwrite";
    readonly base: "network" | "transport";
    readonly offset: number;
    readonly length: number;
    readonly original: Original;
  }
  /** `dnat ip to ip daddr`, `snat ip6 to ip6 saddr` */
  | { readonly kind: "nat-to-itself"; readonly family: Family; readonly side: "source" | "destination" };

/** A condition or a verb. */
export type Statement = Condition | Verb;

/** A rule: its conditions, then its verbs. */
export interface CompiledRule {
  /** Conditions and verbs, in order. */
  readonly statements: readonly Statement[];
  /** The reason for it, for the administrator. */
  readonly reason: string;
}

/** The hook of a base chain. Its policy is `accept`. */
export interface ChainHook {
  /**
   * `route`: a packet whose mark the chain changes is routed again. `nat`: the first packet of a flow alone
   * comes to it. Default: `filter`.
   */
  readonly type?: "route" | "nat";
  /** The place in the packet's way. */
  readonly hook: "prerouting" | "input" | "forward" | "output" | "postrouting";
  /** Lower comes first. */
  readonly priority: number;
}

/** A chain; without `hook` rules go to it. */
export interface CompiledChain {
  /** Its name. */
  readonly name: string;
  /** Its place in the intent; a chain that comes from nowhere there has none. */
  readonly place?: EntryPlace | StepPlace;
  /** Its hook, if packets enter it by themselves. */
  readonly hook?: ChainHook;
  /** In order; the first that ends the packet's way through the chain decides. */
  readonly rules: readonly CompiledRule[];
  /** The reason for it, for the administrator. */
  readonly reason: string;
}

/** The contents of a table. */
export interface TableContents {
  /** Named sets. */
  readonly sets: readonly PlannedSet[];
  /** In an order in which every chain comes after those that it goes to. */
  readonly chains: readonly CompiledChain[];
}

/** A table of family inet. */
export interface CompiledTable extends TableContents {
  /** Its name. */
  readonly name: string;
  /** By it the table is known as ours. */
  readonly comment: string;
  /** `owner`: the kernel removes it with the socket that has made it. */
  readonly flags?: readonly "owner"[];
}
