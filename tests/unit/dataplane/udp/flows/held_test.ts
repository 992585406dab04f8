import assert from "node:assert/strict";
import { HeldBytes, HeldQueue } from "../../../../../src/dataplane/udp/flows/held.ts";
import { sockaddr } from "../../support/addresses.ts";
import { arrivalOf } from "./arrivals.ts";

Deno.test("HeldQueue keeps a datagram with all that it came with, in order", () => {
  const queue = new HeldQueue(new HeldBytes());
  assert.ok(queue.add(arrivalOf(Uint8Array.of(1, 2, 3))));
  assert.ok(queue.add(arrivalOf(Uint8Array.of(4, 5, 6, 7), 2)));
  const [first, second] = queue.datagrams;
  assert.deepEqual([...first.bytes], [1, 2, 3]);
  assert.deepEqual(first.words, new Int32Array([...sockaddr("10.0.0.9:4000"), ...sockaddr("192.0.2.1:443")]));
  assert.deepEqual([first.tos, first.segmentSize], [0x2e, 0]);
  assert.deepEqual([[...second.bytes], second.segmentSize], [[4, 5, 6, 7], 2]);
});

Deno.test("HeldQueue keeps 16 datagrams and 24 KiB, all queues 4 MiB, and gives the room back", () => {
  const all = new HeldBytes();
  const add = (queue: HeldQueue, size: number, count: number) =>
    Array.from({ length: count }, () => queue.add(arrivalOf(new Uint8Array(size)))).filter(Boolean).length;
  assert.equal(add(new HeldQueue(all), 10, 20), 16);
  assert.equal(add(new HeldQueue(all), 1500, 20), 16);
  assert.equal(add(new HeldQueue(all), 8192, 20), 3);
  assert.equal(all.count, 160 + 16 * 1500 + 3 * 8192);
  const full = Array.from({ length: 200 }, () => new HeldQueue(all));
  full.forEach((queue) => add(queue, 8192, 3));
  assert.ok(all.count <= 4 << 20 && all.count > (4 << 20) - 8192);
  assert.equal(add(new HeldQueue(all), 8192, 1), 0);
  full[0].clear();
  full[0].clear();
  assert.equal(add(new HeldQueue(all), 8192, 4), 3);
});
