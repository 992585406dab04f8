/**
 * The end of the proxy before a successor, and what has become of its connections.
 * @module
 */
import { isObject } from "../control/shape.ts";
import { readState } from "./start.ts";

/** Milliseconds between two looks, and those that it is waited for: a second is usual. */
const LOOK_MS = 100;
const PATIENCE_MS = 10_000;

/** Waits until the one before has ended, or keeps what it has, and says so. `pid`: of its successor. */
export async function tellFarewell(
  control: string,
  { pid, former }: { readonly pid: unknown; readonly former: number },
): Promise<string> {
  for (let waited = 0;; waited += LOOK_MS) {
    const state = await readState(control);
    const before = state?.pid === pid ? state?.before : undefined;
    if (!isObject(before)) {
      // Of a version that takes none, or does not say so.
      return `pid ${former} lives until its connections have ended, timeouts.drain at most`;
    }
    const { follows, taken, ended } = before;
    const given = `pid ${former} has given it ${taken} connections`;
    if (ended === true) return `${given}, and has ended`;
    if (follows !== true) return `${given}; the others have timeouts.drain to end there`;
    if (waited >= PATIENCE_MS) return `pid ${former} still gives it connections, and ends then`;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
