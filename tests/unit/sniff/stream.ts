/**
 * A stream that comes part by part, as a socket shows it to a reader.
 * @module
 */
import assert from "node:assert/strict";
import { FoundName, NAME, NONE } from "../../../src/sniff/found.ts";
import { readStream } from "../../../src/sniff/stream.ts";
import { textOf } from "./recordings.ts";

const found = new FoundName();

/** Results of every beginning of a stream: a name, null for none, or how many bytes are asked for. */
export function resultsOf(stream: Uint8Array): (string | null | number)[] {
  return Array.from({ length: stream.length + 1 }, (_, length) => resultOf(stream, length));
}

/** The result of the first bytes; the memory goes on with other bytes, which must not matter. */
export function resultOf(stream: Uint8Array, length: number = stream.length): string | null | number {
  const results = [0x00, 0x0a, 0xff].map((filler) => {
    const memory = new Uint8Array(stream.length + 64).fill(filler);
    memory.set(stream.subarray(0, length));
    const result = readStream(memory, length, found);
    if (result === NAME) {
      assert.ok(found.length > 0);
      return textOf(found);
    }
    assert.equal(found.length, 0, "there is no name without a name");
    if (result === NONE) return null;
    assert.ok(Number.isInteger(result) && result > length, `at ${length} it asks for ${result}`);
    return result;
  });
  assert.deepEqual(new Set(results).size, 1, "the reader has read past the end");
  return results[0];
}

/**
 * Asserts that wherever the stream is cut, the result is the same: what is said of a beginning stays true,
 * and no name comes before the bytes that were asked for.
 */
export function assertEveryBorder(stream: Uint8Array): void {
  const results = resultsOf(stream);
  const end = results.at(-1);
  let asked = 1;
  results.forEach((result, length) => {
    if (typeof result === "number") {
      asked = Math.max(asked, result);
    } else {
      assert.equal(result, end, `at ${length}`);
      if (result !== null) assert.ok(length >= asked, `asked for ${asked}, answered at ${length}`);
    }
  });
}

/** Lengths at which a worker reads that sleeps until as many bytes are there as were asked for. */
export function wakesOf(stream: Uint8Array): number[] {
  const wakes = [];
  for (let length = 1; length <= stream.length;) {
    wakes.push(length);
    const result = resultOf(stream, length);
    if (typeof result !== "number") break;
    length = result;
  }
  return wakes;
}
