/**
 * Connections as they open and close, a line of JSON each: `{ "event": "open", … }`. One that has lived for
 * less than the time between two looks, or was never open, has its close alone.
 * @module
 */
import type { EndedFlow } from "../../../dataplane/flows/ended_flows.ts";
import type { SessionChanges } from "../../../dataplane/flows/session_changes.ts";
import type { SessionRow } from "../../../dataplane/shared/books.ts";
import type { Dataplane } from "../../../dataplane/supervisor.ts";
import type { DeviceBook } from "../devices/device_book.ts";
import { formatId } from "./id.ts";
import { describeClosed, describeRow, type FindDevice } from "./row.ts";
import { inSlices } from "./slices.ts";

/** Milliseconds between two looks. */
const LOOK_MS = 250;
/** Ends that are kept for who reads slowly; others are counted. */
const MOST_ENDED = 10_000;

/** Tells of them until `signal`. */
export async function* followConnections(
  { changes, endedFlows }: Pick<Dataplane, "changes" | "endedFlows">,
  devices: Pick<DeviceBook, "current">,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const ended = new EndedQueue();
  const following = endedFlows.follow((flow) => ended.add(flow));
  try {
    const watched = changes();
    while (!signal.aborted) {
      const findDevice = await devices.current();
      yield* inSlices(eventsOf(watched, { ended, pump: () => endedFlows.pump() }, findDevice), signal);
      await pause(signal);
    }
  } finally {
    following.end();
  }
}

class EndedQueue {
  #flows: EndedFlow[] = [];
  #missed = 0;

  add(flow: EndedFlow): void {
    if (this.#flows.length < MOST_ENDED) this.#flows.push(flow);
    else this.#missed++;
  }

  /** Takes all out, and the number of those for which there was no room. */
  take(): { flows: readonly EndedFlow[]; missed: number } {
    const taken = { flows: this.#flows, missed: this.#missed };
    this.#flows = [];
    this.#missed = 0;
    return taken;
  }
}

/**
 * Lists what has happened since the last look. A worker tells of an end before its row is empty: who finds no
 * row any more, and no word of its end either, was not told of it in time.
 */
function* eventsOf(
  watched: SessionChanges<SessionRow>,
  { ended, pump }: { readonly ended: EndedQueue; readonly pump: () => void },
  findDevice: FindDevice,
): Generator<string> {
  const gone = new Set<string>();
  for (const change of watched.look()) {
    if (change.kind === "gone") gone.add(formatId(change.key));
    else yield line({ event: "open", ...describeRow(change.session, findDevice) });
  }
  pump();
  const { flows, missed } = ended.take();
  for (const flow of flows) {
    watched.forget(flow.key);
    gone.delete(formatId(flow.key));
    yield line({ event: "close", ...describeClosed(flow, findDevice) });
  }
  for (const id of gone) yield line({ event: "close", id, ending: null });
  if (missed > 0) yield line({ event: "missed", closes: missed });
}

function line(event: object): string {
  return `${JSON.stringify(event)}\n`;
}

/** Waits, but not when nobody listens any more. */
async function pause(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, LOOK_MS);
    signal.addEventListener("abort", done);
  });
}
