/**
 * Lines in slices: others of this thread have their turn after each, and after less than a millisecond.
 * @module
 */

/** Lines of a slice. */
const MOST_LINES = 256;
/** Milliseconds of a slice. */
const MOST_MS = 0.5;

/** Joins lines, as many at once as a slice may have. */
export async function* inSlices(lines: Iterable<string>, signal: AbortSignal): AsyncGenerator<string> {
  let slice: string[] = [];
  let end = performance.now() + MOST_MS;
  for (const line of lines) {
    slice.push(line);
    if (slice.length < MOST_LINES && performance.now() < end) continue;
    yield slice.join("");
    if (signal.aborted) return;
    await new Promise((resolve) => setImmediate(resolve));
    slice = [];
    end = performance.now() + MOST_MS;
  }
  yield slice.join("");
}
