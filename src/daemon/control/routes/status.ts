/**
 * `GET /v1/status`: what the proxy does, in one object.
 * @module
 */
import { json, type Route } from "../route.ts";
import { describeState } from "../status.ts";

/** The route. */
export const statusRoute: Route = {
  method: "GET",
  path: "/v1/status",
  answer: (_request, subject) => json(describeState(subject)),
};
