/** `masq`: source NAT to the address of the interface that the packet leaves by. @module */

/** `[ masq ]`. */
export interface MasqueradeExpression {
  /** Tells the expressions apart. */
  readonly kind: "masquerade";
}
