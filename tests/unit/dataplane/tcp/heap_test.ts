/**
 * Checks that the steady state of relaying makes no garbage: 200,000 messages, in a process of its own that
 * tells each collection.
 */
import assert from "node:assert/strict";

const MESSAGES = 200_000;
/** A scavenge comes with about every MiB of garbage at this size of the young generation. */
const FLAGS =
  "--v8-flags=--trace-gc,--semi-space-growth-factor=1,--min-semi-space-size=1,--max-semi-space-size=1";

async function collections(messages: number): Promise<number> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      FLAGS,
      new URL("heap_load.ts", import.meta.url).pathname,
      String(messages),
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.ok(success, text + new TextDecoder().decode(stderr));
  assert.match(text, new RegExp(`^RELAYED ${2 * messages}$`, "m"));
  return text.split("\n").filter((line) => /\b(Scavenge|Mark-Compact)\b/.test(line)).length;
}

Deno.test(`the relay makes no garbage over ${MESSAGES} messages`, async () => {
  // Starting and warming up make some.
  const [few, many] = [await collections(1000), await collections(MESSAGES)];
  assert.ok(few >= 1, "collections are not told");
  // An object of 16 bytes for each message would make six more.
  assert.ok(many - few <= 2, `${few} collections with 1000 messages, ${many} with ${MESSAGES}`);
});
