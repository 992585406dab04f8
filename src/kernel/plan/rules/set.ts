/**
 * Named sets: what conditions look into. Pure.
 * @module
 */
import type { KeyRange } from "../../../net/ranges.ts";

/**
 * A named set: of interface names, hardware addresses, ranges of ports or of addresses. Ranges are sorted and
 * do not touch.
 */
export type PlannedSet =
  & { readonly name: string; readonly reason: string }
  & (
    | { readonly type: "ifname" | "ether_addr"; readonly elements: readonly string[] }
    | {
      readonly type: "inet_service";
      readonly elements: readonly { readonly first: number; readonly last: number }[];
    }
    | { readonly type: "ipv4_addr" | "ipv6_addr"; readonly elements: readonly KeyRange[] }
    | MemorySet
  );

/** A set that packets fill: it is empty in the plan, and its content is nobody's business. */
export interface MemorySet {
  /**
   * Flows, as their answers are addressed (source and its port, destination and its port); or address
   * families.
   */
  readonly type: "ipv4_flow" | "ipv6_flow" | "nf_proto";
  /** None. */
  readonly elements: readonly [];
  /** The fact that is held for each, where it is a map. */
  readonly values?: "mark";
  /** Lifetime of an element that nothing renews. */
  readonly timeoutSeconds: number;
  /** The most elements that it may hold. */
  readonly size: number;
}
