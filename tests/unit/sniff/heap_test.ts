/** Garbage of reading names: in a process of its own that tells each collection. */
import assert from "node:assert/strict";
import { collectionsOf } from "../../laboratory/machine/collections.ts";

const collections = (times: number) =>
  collectionsOf(new URL("heap_load.ts", import.meta.url), times, /^READ$/m);

Deno.test("reading names makes no garbage over 20,000 QUIC flows and 1 million streams", async () => {
  const [few, many] = [await collections(1000), await collections(21_000)];
  assert.ok(few >= 1, "collections are not told");
  // An object of 16 bytes for each stream would make fifteen more.
  assert.ok(many - few <= 2, `${few} collections with 1000 flows, ${many} with 21,000`);
});
