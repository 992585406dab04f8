/**
 * Netcat's standard input and output.
 * @module
 */
import type { Stream } from "./transfer.ts";

/**
 * Opens file descriptors 0 and 1. Streams that were closed when the program started, the runtime has opened
 * as /dev/null.
 */
export function standardStreams(): { readonly input: Stream; readonly output: Stream } {
  return { input: { fd: 0, isPipe: isPipe(0) }, output: { fd: 1, isPipe: isPipe(1) } };
}

function isPipe(fd: number): boolean {
  return Deno.statSync(`/proc/self/fd/${fd}`).isFifo === true;
}
