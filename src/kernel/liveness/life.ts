/**
 * A sign of life: by it rules learn that a proxy runs. Pure.
 * @module
 */
import type { Admission, Config } from "../../config/types.ts";
import type { Family } from "../../net/ip.ts";

/** A proxy with this config, in these families. */
export interface LiveProxy {
  readonly config: Config;
  readonly families: readonly Family[];
  /** The place at which it takes flows. */
  readonly admission: Admission;
}

/** A proxy's sign of life. */
export interface Life {
  /** Shows from now on, over and over, that the proxy runs. Throws an OperationError if it cannot. */
  begin(): void;
  /** Shows it once, at once: to rules that have just been made. Nothing after the end. */
  once(): void;
  /** Shows nothing more, and says nothing of an end: another process shows it. */
  leave(): void;
  /** From now on new flows are treated as without a proxy, at once. */
  end(): void;
}

/** For rules that find out by themselves. */
export const NO_LIFE: Life = { begin() {}, once() {}, leave() {}, end() {} };
