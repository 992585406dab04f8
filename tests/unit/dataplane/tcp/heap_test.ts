/**
 * Checks that the steady state of relaying makes no garbage: 200,000 messages, in a process of its own that
 * tells each collection.
 */
import assert from "node:assert/strict";
import { collectionsOf } from "../../../laboratory/machine/collections.ts";

const MESSAGES = 200_000;
const collections = (messages: number) =>
  collectionsOf(
    new URL("heap_load.ts", import.meta.url),
    messages,
    new RegExp(`^RELAYED ${2 * messages}$`, "m"),
  );

Deno.test(`the relay makes no garbage over ${MESSAGES} messages`, async () => {
  // Starting and warming up make some.
  const [few, many] = [await collections(1000), await collections(MESSAGES)];
  assert.ok(few >= 1, "collections are not told");
  // An object of 16 bytes for each message would make six more.
  assert.ok(many - few <= 2, `${few} collections with 1000 messages, ${many} with ${MESSAGES}`);
});
