/**
 * Differences that the README admits, each with the words that do. Pure.
 * @module
 */
import type { Difference } from "./judge.ts";
import type { RandomRouter } from "./router.ts";

/** A difference that is known. */
export interface Admitted {
  /** Words of the README's limits. */
  readonly line: string;
  /** `all`: the other differences of the same trial. */
  readonly admits: (difference: Difference, router: RandomRouter, all: readonly Difference[]) => boolean;
}

const ROUTER = /: (lan|wan|wan2|guests|dmz) /;

/** Tells whether another difference of the same subject says the rest of it. */
function pairs(
  { subject, before, after }: Difference,
  all: readonly Difference[],
  alike: (before: string, after: string) => boolean,
): boolean {
  return all.some((other) =>
    other.subject === subject &&
    (before === "" ? other.after === "" && alike(other.before, after) : other.before === "" && alike(before, other.after))
  );
}

/** All that may differ. */
export const ADMITTED: readonly Admitted[] = [
  {
    line: "ICMP errors come to the client from the router",
    admits: (difference, _router, all) =>
      difference.subject === "icmp" && pairs(difference, all, (before, after) =>
        ROUTER.test(after) && before.replace(/: \S+ /, ": ") === after.replace(/: \S+ /, ": ")),
  },
  {
    line: "conntrack's entry of a dial has no mark that others' rules gave the client's flow",
    admits: (difference, _router, all) =>
      difference.subject === "conntrack" && pairs(difference, all, (before, after) =>
        before.replace(/ mark \d+$/, "") === after.replace(/ mark \d+$/, "")),
  },
];
