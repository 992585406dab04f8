/** `notrack`: keeps conntrack from seeing the packet. It has no attributes. @module */

/** `[ notrack ]`. */
export interface NotrackExpression {
  /** Tells the expressions apart. */
  readonly kind: "notrack";
}
