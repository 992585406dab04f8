/**
 * The disturbances of each part of a soak.
 * @module
 */
import { BAD_RELOAD } from "./bad_reload.ts";
import type { Disturbance } from "./disturbance.ts";
import { FLUSH } from "./flush.ts";
import { GOOD_RELOAD } from "./good_reload.ts";
import { KILL } from "./kill.ts";
import { UPGRADE } from "./upgrade.ts";

/** Everything. */
export const RESTLESS: readonly Disturbance[] = [GOOD_RELOAD, BAD_RELOAD, FLUSH, KILL, UPGRADE];
/** Those that cost nothing: no flow, and no datagram. */
export const HARMLESS: readonly Disturbance[] = [GOOD_RELOAD, BAD_RELOAD, UPGRADE];
/** Those that leave the process alone, whose memory is watched. */
export const LASTING: readonly Disturbance[] = [GOOD_RELOAD, BAD_RELOAD, FLUSH];
