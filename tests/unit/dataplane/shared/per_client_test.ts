import assert from "node:assert/strict";
import {
  PER_CLIENT_WORDS,
  PerClient,
  preparePerClient,
} from "../../../../src/dataplane/shared/per_client.ts";
import { sockaddr } from "../support/addresses.ts";

function memory(): Int32Array<SharedArrayBuffer> {
  const words = new Int32Array(new SharedArrayBuffer(PER_CLIENT_WORDS * 4));
  preparePerClient(words);
  return words;
}

Deno.test("PerClient counts each address apart, ports aside, over all who share the memory", () => {
  const words = memory();
  const [one, two] = [new PerClient(words), new PerClient(words)];
  assert.equal(one.add(sockaddr("10.0.0.1:1"), 0, 2), -1);
  assert.equal(two.add(sockaddr("10.0.0.1:2"), 0, 2), 0);
  assert.equal(one.add(sockaddr("10.0.0.1:3"), 0, 2), 1);
  one.remove(sockaddr("10.0.0.1:9"), 0);
  assert.equal(one.add(sockaddr("[fd00::1]:1"), 0, 2), -1);
  two.remove(sockaddr("10.0.0.1:2"), 0);
  assert.equal(one.add(sockaddr("10.0.0.1:3"), 0, 2), 0);
});

Deno.test("PerClient takes hardly any of a thousand clients for another", () => {
  const counts = new PerClient(memory());
  const over = Array.from(
    { length: 1000 },
    (_, i) => counts.add(sockaddr(`[fd00::${i.toString(16)}]:1`), 0, 1),
  )
    .filter((by) => by > 0);
  assert.ok(over.length <= 2, `${over.length} of 1000`);
});

Deno.test("PerClient with limit 0 allows everything, and counts it", () => {
  const counts = new PerClient(memory());
  for (let i = 0; i < 10; i++) assert.equal(counts.add(sockaddr("10.0.0.1:1"), 0, 0), 0);
  // A limit that comes later counts those of before.
  assert.equal(counts.add(sockaddr("10.0.0.1:1"), 0, 10), 1);
});
