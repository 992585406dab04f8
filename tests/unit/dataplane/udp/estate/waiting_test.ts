import assert from "node:assert/strict";
import { packWaiting, unpackWaiting } from "../../../../../src/dataplane/udp/estate/waiting.ts";
import { HeldQueue, MOST_HELD } from "../../../../../src/dataplane/udp/flows/held.ts";

const datagrams = Array.from({ length: 20 }, (_, i) => ({
  words: Int32Array.from({ length: 16 }, (_, word) => 100 * i + word - 50),
  bytes: crypto.getRandomValues(new Uint8Array(i * 7)),
  tos: i,
  segmentSize: i % 2 === 0 ? 0 : 1200,
}));

Deno.test("datagrams that wait come out as they went in", () => {
  assert.deepEqual(unpackWaiting(packWaiting(datagrams)), datagrams);
  assert.deepEqual(unpackWaiting(packWaiting([])), []);
});

Deno.test("their queues have them in order, none too long", () => {
  const queues = HeldQueue.of(datagrams);
  assert.deepEqual(queues.map((queue) => queue.datagrams.length), [MOST_HELD, 20 - MOST_HELD]);
  assert.deepEqual(queues.flatMap((queue) => queue.take()), datagrams);
  assert.deepEqual(queues[0].datagrams, []);
});
