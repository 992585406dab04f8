/**
 * The refusal of an install while another one is on trial. Pure.
 * @module
 */
import { OperationError } from "../../net/error.ts";

/** Throws where other rules are on trial in that place. */
export function refuseDuringTrial(leftMs: number | undefined, place: string): void {
  if (leftMs === undefined || leftMs === 0) return;
  throw new OperationError({
    operation: "install",
    object: place,
    reason: `other rules are on trial there, with ${Math.ceil(leftMs / 1000)} s left`,
    hint: '"tproxy confirm" keeps them, "tproxy uninstall" removes all; or wait until the trial is over',
  });
}
