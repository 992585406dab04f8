/**
 * Pieces of an iptables rule: options that belong together, in the order in which `iptables-save` prints them. Pure.
 * @module
 */

/** Options of a rule. The second number of equal kind keeps its place. */
export interface Fragment {
  readonly kind: "source" | "destination" | "input" | "output" | "protocol" | "match";
  /** `-s 10.0.0.0/8`; the empty string matches everything. */
  readonly text: string;
}

const ORDER: readonly Fragment["kind"][] = ["source", "destination", "input", "output", "protocol", "match"];

/** A rule's text. What is said twice is written once. */
export function joinFragments(fragments: readonly Fragment[], target: string): string {
  const sorted = ORDER.flatMap((kind) => fragments.filter((fragment) => fragment.kind === kind));
  const texts = [...new Set(sorted.map(({ text }) => text))];
  return [...texts, target].filter((text) => text !== "").join(" ");
}

/** What must hold for a rule to apply: one of several things. */
export interface Match {
  readonly any: readonly (readonly Fragment[])[];
  /** Rather none of them must hold. */
  readonly negate?: boolean;
}

/** A match without alternatives. */
export function one(kind: Fragment["kind"], text: string): Match {
  return { any: [[{ kind, text }]] };
}
