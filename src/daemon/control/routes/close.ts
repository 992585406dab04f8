/**
 * `POST /v1/connections/close`: ends connections with a reset. `{ "ids": ["t0.12.345"] }`.
 * @module
 */
import { OperationError } from "../../../net/error.ts";
import { parseId } from "../connections/id.ts";
import { json, type Route } from "../route.ts";

/** The route. It answers before they have ended; those that have ended already are no error. */
export const closeRoute: Route = {
  method: "POST",
  path: "/v1/connections/close",
  browsers: "asked",
  answer({ body }, { proxy }) {
    const sessions = readIds(new TextDecoder().decode(body)).map((id) =>
      parseId(id) ?? refuse(`${id} is none`)
    );
    proxy.dataplane.close(sessions);
    return json({ version: 1, told: sessions.length });
  },
};

function readIds(text: string): string[] {
  const { ids } = parse(text) as { ids?: unknown };
  return Array.isArray(ids) && ids.every((id) => typeof id === "string")
    ? ids
    : refuse("there is no list ids");
}

function parse(text: string): object {
  try {
    return Object(JSON.parse(text));
  } catch {
    return refuse("the body is no JSON");
  }
}

function refuse(reason: string): never {
  throw new OperationError({ operation: "close", object: "connections", reason, usage: true });
}
