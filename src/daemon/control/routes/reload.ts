/**
 * `POST /v1/reload`: takes over what the config file holds now, and says how that ended.
 * @module
 */
import type { ReloadOutcome } from "../../reload/outcome.ts";
import { json, type Route } from "../route.ts";

const STATUS: Readonly<Record<ReloadOutcome["state"], number>> = {
  adopted: 200,
  "bad-config": 422,
  failed: 500,
  ending: 503,
};

/** The answer. */
export type ReloadAnswer = ReloadOutcome & { readonly version: 1 };

/** The route. It answers when the reload has ended. */
export const reloadRoute: Route = {
  method: "POST",
  path: "/v1/reload",
  async answer(_request, { proxy }) {
    const outcome = await proxy.reload();
    return json({ version: 1, ...outcome }, STATUS[outcome.state]);
  },
};
