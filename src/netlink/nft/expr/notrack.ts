/** `notrack`: keeps conntrack from seeing the packet. It has no attributes. @module */
import type { Codec } from "./codec.ts";

/** `[ notrack ]`. */
export interface NotrackExpression {
  /** Tells the expressions apart. */
  readonly kind: "notrack";
}

/** Codec of `notrack`. */
export const notrack: Codec<NotrackExpression> = {
  name: "notrack",
  kinds: ["notrack"],
  encode: () => undefined,
  decode: () => ({ kind: "notrack" }),
};
