/**
 * Pieces of an iptables rule: options that belong together, in the order in which `iptables-save` prints
 * them. Pure.
 * @module
 */
import type { Marks } from "../../../marks.ts";
import { OperationError } from "../../../net/error.ts";
import { hex } from "../../../net/hex.ts";

/** Options of a rule. The second number of equal kind keeps its place. */
export interface Fragment {
  readonly kind: "source" | "destination" | "input" | "output" | "protocol" | "match";
  /** `-s 10.0.0.0/8`; the empty string matches everything. */
  readonly text: string;
}

const ORDER: readonly Fragment["kind"][] = ["source", "destination", "input", "output", "protocol", "match"];

/** Writes a rule's text. An option that is said twice is written once. */
export function joinFragments(fragments: readonly Fragment[], target: string): string {
  const sorted = ORDER.flatMap((kind) => fragments.filter((fragment) => fragment.kind === kind));
  const texts = [...new Set(sorted.map(({ text }) => text))];
  return [...texts, target].filter((text) => text !== "").join(" ");
}

/** A match of a rule: one of several things must hold. */
export interface Match {
  readonly any: readonly (readonly Fragment[])[];
  /** Instead, none of them must hold. */
  readonly negate?: boolean;
}

/** Makes a match without alternatives. */
export function matchOne(kind: Fragment["kind"], text: string): Match {
  return { any: [[{ kind, text }]] };
}

/** Ends the packet's way through our chains. */
export const RETURN = "-j RETURN";

/** Writes bits and the mask for them: `0x2/0x2`. */
export function bits(mark: number): string {
  return `${hex(mark)}/${hex(mark)}`;
}

/** Sets bits of the packet's mark. */
export function markWith(mark: number): string {
  return `-j MARK --set-xmark ${bits(mark)}`;
}

/** Asks for packets that `raw` has marked for `filter`. */
export function isRefused({ refused }: Marks): string {
  return `-m mark --mark ${bits(refused)}`;
}

/**
 * Makes the error for what no rule can say. A rule without a condition that it needs would match everything.
 */
export function cannotSay(kind: string): OperationError {
  return new OperationError({
    operation: "write for iptables",
    object: kind,
    reason: "no rule of iptables says this yet",
    hint: "Set kernel.backend to netlink",
  });
}
