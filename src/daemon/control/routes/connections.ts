/**
 * `GET /v1/connections`: the live connections and UDP sessions, a line of JSON each; with `?follow`
 * those that open and close from now on.
 * @module
 */
import type { SessionRow } from "../../../dataplane/shared/books.ts";
import { followConnections } from "../connections/follow.ts";
import { describeRow, type FindDevice } from "../connections/row.ts";
import { DEVICES } from "../devices/device_book.ts";
import { inSlices } from "../connections/slices.ts";
import { NDJSON, type Route } from "../route.ts";

/** The route. */
export const connectionsRoute: Route = {
  method: "GET",
  path: "/v1/connections",
  async answer({ query }, { proxy: { dataplane } }) {
    const stream = { status: 200, type: NDJSON } as const;
    if (query.has("follow")) {
      return { ...stream, parts: (signal) => followConnections(dataplane, DEVICES, signal) };
    }
    const findDevice = await DEVICES.current();
    return { ...stream, parts: (signal) => inSlices(linesOf(dataplane.sessions(), findDevice), signal) };
  },
};

function* linesOf(sessions: Iterable<SessionRow>, findDevice: FindDevice): Generator<string> {
  for (const session of sessions) yield `${JSON.stringify(describeRow(session, findDevice))}\n`;
}
