/**
 * The routes of the control socket.
 * @module
 */
import type { Route } from "./route.ts";
import { closeRoute } from "./routes/close.ts";
import { connectionsRoute } from "./routes/connections.ts";
import { handoverRoute } from "./routes/handover.ts";
import { lookRoute } from "./routes/look.ts";
import { metricsRoute } from "./routes/metrics.ts";
import { pageRoute } from "./routes/page.ts";
import { reloadRoute } from "./routes/reload.ts";
import { statusRoute } from "./routes/status.ts";

/** All of them. */
export const ROUTES: readonly Route[] = [
  statusRoute,
  connectionsRoute,
  closeRoute,
  reloadRoute,
  handoverRoute,
  metricsRoute,
  pageRoute,
  lookRoute,
];
