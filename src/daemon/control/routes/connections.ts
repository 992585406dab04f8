/**
 * `GET /v1/connections`: the live connections and UDP sessions, a line of JSON each.
 * @module
 */
import type { SessionRow } from "../../../dataplane/shared/books.ts";
import { describeRow, type FindDevice } from "../connections/row.ts";
import { DeviceBook } from "../devices/device_book.ts";
import { inSlices } from "../connections/slices.ts";
import type { Route } from "../route.ts";

/** The media type of lines of JSON. */
const NDJSON = "application/x-ndjson";

const devices = new DeviceBook();

/** The route. */
export const connectionsRoute: Route = {
  method: "GET",
  path: "/v1/connections",
  async answer(_request, { proxy }) {
    const findDevice = await devices.current();
    return {
      status: 200,
      type: NDJSON,
      parts: (signal) => inSlices(linesOf(proxy.dataplane.sessions(), findDevice), signal),
    };
  },
};

function* linesOf(sessions: Iterable<SessionRow>, findDevice: FindDevice): Generator<string> {
  for (const session of sessions) yield `${JSON.stringify(describeRow(session, findDevice))}\n`;
}
