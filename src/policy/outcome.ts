/**
 * Fate of a flow, in the program's own words. Pure.
 * @module
 */
import type { Action } from "../config/types.ts";

/** Treatment of a flow. */
export type Outcome =
  /** Goes on as if nothing were installed. */
  | { readonly kind: "pass" }
  /** Ends here; `silently`: the client is told nothing. */
  | { readonly kind: "refuse"; readonly silently: boolean }
  /**
   * Goes to our listener, which relays it, and asks for its name where that decides: what goes to an upstream
   * must not reach the server first.
   */
  | { readonly kind: "proxy" }
  /**
   * Goes on at once, until its client says a name: that decides whether it may go on or ends. Nothing else
   * can become of it.
   */
  | { readonly kind: "watch" }
  /** Goes to another TPROXY program on this router. */
  | { readonly kind: "program"; readonly port: number };

/** Facts on which the outcome depends. */
export interface Deciding {
  readonly action: Action;
  readonly silent?: boolean;
  readonly deliverPort?: number;
}

/** Tells whether two outcomes are the same. */
export function sameOutcome(a: Outcome, b: Outcome): boolean {
  if (a.kind === "refuse" && b.kind === "refuse") return a.silently === b.silently;
  if (a.kind === "program" && b.kind === "program") return a.port === b.port;
  return a.kind === b.kind;
}

/** The outcome of flows of which the name tells how they end: in one of these ways, at least one. */
export function undecidedOutcome(ends: readonly Outcome[]): Outcome {
  if (ends.every((end) => sameOutcome(end, ends[0]))) return ends[0];
  return ends.every(({ kind }) => kind === "pass" || kind === "refuse")
    ? { kind: "watch" }
    : { kind: "proxy" };
}

/** The outcome of an action. `proxy` and `direct` differ only in how our listener goes on. */
export function outcomeOf({ action, silent, deliverPort }: Deciding): Outcome {
  switch (action) {
    case "bypass":
      return { kind: "pass" };
    case "block":
      return { kind: "refuse", silently: silent === true };
    case "direct":
    case "proxy":
      return { kind: "proxy" };
    case "deliver":
      if (deliverPort === undefined) {
        throw new TypeError("A rule that delivers without a port passed the schema");
      }
      return { kind: "program", port: deliverPort };
    default:
      throw new TypeError(`No outcome of ${action satisfies never}`);
  }
}
