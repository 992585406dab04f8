/**
 * The state of one object of the kernel, as `tproxy status` shows it. Pure.
 * @module
 */

/** `changed`: it is there, and not as planned. `foreign`: it is there, and the plan knows nothing of it. */
export type ObjectState = "present" | "missing" | "changed" | "foreign";

/** One object. The shape is that of `tproxy status --json`: stable, keys are only ever added. */
export interface ObjectStatus {
  /** The kind of object. */
  readonly kind: "table" | "set" | "chain" | "rule" | "routing-rule" | "route";
  /**
   * Name of a chain or set, nft's text of a rule after the name of its chain, ip's words of a routing entry.
   */
  readonly name: string;
  /** State of the object. */
  readonly state: ObjectState;
  /** Difference from the plan, in words. */
  readonly detail?: string;
}
