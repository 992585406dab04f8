/**
 * The disturbances of a soak, a line each.
 * @module
 */
import { BAD_RELOAD } from "./bad_reload.ts";
import type { Disturbance } from "./disturbance.ts";
import { FLUSH } from "./flush.ts";
import { GOOD_RELOAD } from "./good_reload.ts";
import { KILL } from "./kill.ts";

/** See the module. */
export const DISTURBANCES: readonly Disturbance[] = [GOOD_RELOAD, BAD_RELOAD, FLUSH, KILL];
