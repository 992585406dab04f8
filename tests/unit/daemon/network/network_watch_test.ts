import assert from "node:assert/strict";
import { watchNetwork } from "../../../../src/daemon/network/network_watch.ts";
import { listDescriptors } from "../../ffi/support/descriptors.ts";

const OPTIONS = { changed: () => Promise.resolve(), nameProcess: () => undefined };

Deno.test("watchNetwork() ends at once, and leaves neither a descriptor nor a thread that waits", async () => {
  // The first call elsewhere makes Deno start what it needs for that, for good.
  await watchNetwork(OPTIONS).end();
  const before = listDescriptors().length;
  const start = performance.now();
  for (let i = 0; i < 3; i++) await watchNetwork(OPTIONS).end();
  assert.ok(performance.now() - start < 500);
  assert.equal(listDescriptors().length, before);
});
