/**
 * Lines of a list as they are shown. Pure.
 * @module
 */
import { oneLine } from "../../net/one_line.ts";

/** A line of a list. */
export interface ListLine {
  /** From 1 on. */
  readonly number: number;
  /** Its text, the beginning of a long one. */
  readonly text: string;
}

const MOST_BYTES = 80;
const DECODER = new TextDecoder();

/** Shows the line that is `start` to `end`. */
export function showLine(bytes: Uint8Array, number: number, start: number, end: number): ListLine {
  const shown = Math.min(end, start + MOST_BYTES);
  const text = oneLine(DECODER.decode(bytes.subarray(start, shown)));
  return { number, text: shown < end ? `${text}…` : text };
}
