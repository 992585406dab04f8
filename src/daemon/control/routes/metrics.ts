/**
 * `GET /metrics`: all counters, for Prometheus.
 * @module
 */
import { chooseForm, formatMetrics, METRICS_TYPES } from "../../metrics/text.ts";
import type { Route } from "../route.ts";

/** The route. */
export const metricsRoute: Route = {
  method: "GET",
  path: "/metrics",
  browsers: "opened",
  answer({ headers }, { proxy }) {
    const form = chooseForm(headers.get("accept"));
    return { status: 200, type: METRICS_TYPES[form], body: formatMetrics(proxy.meter.read(), form) };
  },
};
