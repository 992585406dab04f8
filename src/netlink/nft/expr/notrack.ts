/** `notrack`: keeps conntrack from seeing the packet. It has no attributes. @module */

/** `[ notrack ]`. */
export interface NotrackExpression {
  readonly kind: "notrack";
}
