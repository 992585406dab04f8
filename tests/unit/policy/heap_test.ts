/** Garbage of asking the policy: in a process of its own that tells each collection. */
import assert from "node:assert/strict";

/** A scavenge comes with about every MiB of garbage at this size of the young generation. */
const FLAGS =
  "--v8-flags=--trace-gc,--semi-space-growth-factor=1,--min-semi-space-size=1,--max-semi-space-size=1";

async function collections(times: number): Promise<number> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      FLAGS,
      new URL("heap_load.ts", import.meta.url).pathname,
      String(times),
    ],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.ok(success, text + new TextDecoder().decode(stderr));
  assert.match(text, /^ASKED$/m);
  return text.split("\n").filter((line) => /\b(Scavenge|Mark-Compact)\b/.test(line)).length;
}

Deno.test("Policy.decide() makes no garbage over 2 million flows", async () => {
  const [few, many] = [await collections(1000), await collections(2_000_000)];
  assert.ok(few >= 1, "collections are not told");
  // An object of 16 bytes for each flow would make thirty more.
  assert.ok(many - few <= 2, `${few} collections with 1000 flows, ${many} with 2 million`);
});
