/**
 * `GET /v1/look`: what the page shows, in one answer: the proxy in the first line, then a line for each live
 * connection. With `?settled=MS` those that are open and as old as that have their bytes alone:
 * `["t0.12.345",up,down]`; who has looked meanwhile knows the rest.
 * @module
 */
import { describeBriefly, isSettled, readSettled } from "../connections/brief.ts";
import { describeRow } from "../connections/row.ts";
import { inSlices } from "../connections/slices.ts";
import { DEVICES } from "../devices/device_book.ts";
import { describeLook } from "../look.ts";
import { NDJSON, type Route, type Subject } from "../route.ts";

/** The route. */
export const lookRoute: Route = {
  method: "GET",
  path: "/v1/look",
  browsers: "asked",
  async answer({ query }, subject) {
    const findDevice = await DEVICES.current();
    const settledMs = readSettled(query.get("settled"));
    return {
      status: 200,
      type: NDJSON,
      parts: (signal) => inSlices(linesOf(subject, settledMs, findDevice), signal),
    };
  },
};

function* linesOf(
  subject: Subject,
  settledMs: number,
  findDevice: Parameters<typeof describeRow>[1],
): Generator<string> {
  const state = describeLook(subject);
  yield `${JSON.stringify(state)}\n`;
  for (const session of subject.proxy.dataplane.sessions()) {
    const isBrief = isSettled(session, state.now, settledMs);
    yield `${JSON.stringify(isBrief ? describeBriefly(session) : describeRow(session, findDevice))}\n`;
  }
}
