/**
 * `GET /v1/status`: what the proxy does, in one object.
 * @module
 */
import { describe } from "../../state_file.ts";
import { json, type Route } from "../route.ts";

/** The route. */
export const statusRoute: Route = {
  method: "GET",
  path: "/v1/status",
  answer: (_request, { proxy, ...facts }) => json(describe(proxy, facts)),
};
