/**
 * The routes of the control socket.
 * @module
 */
import type { Route } from "./route.ts";
import { reloadRoute } from "./routes/reload.ts";
import { statusRoute } from "./routes/status.ts";

/** All of them. */
export const ROUTES: readonly Route[] = [statusRoute, reloadRoute];
