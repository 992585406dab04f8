/**
 * Differences that the README admits, each with the words that do.
 * @module
 */
import type { RandomRouter } from "./router.ts";

/** A difference from a router without a proxy. */
export interface Difference {
  /** Index of the flow, if it is known. */
  readonly flow?: number;
  /** "outcome", "time", or the name of a list. */
  readonly subject: string;
  readonly before: string;
  readonly after: string;
}

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
    (before === ""
      ? other.after === "" && alike(other.before, after)
      : other.before === "" && alike(before, other.after))
  );
}

/** All that may differ. */
export const ADMITTED: readonly Admitted[] = [
  {
    line: "ICMP errors come to the client from the router",
    admits: (difference, _router, all) =>
      difference.subject === "icmp" &&
      pairs(difference, all, (before, after) =>
        ROUTER.test(after) && before.replace(/: \S+ /, ": ") === after.replace(/: \S+ /, ": ")),
  },
  {
    line: "Where output drops new flows, the proxy makes a dial's conntrack entry first",
    // The entry that was made lives on after a refusal; one of a SYN that was reset does not.
    admits: ({ subject, before, after }, { pieces }) =>
      subject === "conntrack" && before === "" && /^tcp .* (9|19) 20\d+ /.test(after) &&
      pieces.some((piece) => (piece.kind === "policy" || piece.kind === "rule") && piece.chain === "output"),
  },
  {
    line: "MSS (no larger than the client's)",
    admits: (difference, _router, all) =>
      difference.subject === "mss" && pairs(difference, all, (before, after) => {
        const [[host, size], [now, smaller]] = [before.split(": "), after.split(": ")];
        return host === now && Number(smaller) < Number(size);
      }),
  },
];
