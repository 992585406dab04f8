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
   * Passes, until its name is read: then it goes on, or ends on both sides. No name can give it to our
   * listener.
   */
  | { readonly kind: "watch" }
  /** Goes to our listener. */
  | { readonly kind: "proxy" }
  /** Goes to another TPROXY program on this router. */
  | { readonly kind: "program"; readonly port: number };

/** Facts on which the outcome depends. */
export interface Deciding {
  readonly action: Action;
  readonly silent?: boolean;
  readonly deliverPort?: number;
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
