/** Garbage of reading and asking names: in a process of its own that tells each collection. */
import assert from "node:assert/strict";
import { collectionsOf } from "../../../laboratory/machine/collections.ts";

const collections = (times: number) =>
  collectionsOf(new URL("heap_load.ts", import.meta.url), times, /^ASKED$/m);

Deno.test("canonicalize() and NameTable.has() make no garbage over 2 million names", async () => {
  const [few, many] = [await collections(1000), await collections(2_000_000)];
  assert.ok(few >= 1, "collections are not told");
  // An object of 16 bytes for each name would make thirty more.
  assert.ok(many - few <= 2, `${few} collections with 1000 names, ${many} with 2 million`);
});
