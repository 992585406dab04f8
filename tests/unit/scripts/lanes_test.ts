/** Files of tests side by side. */
import assert from "node:assert/strict";
import { runSideBySide } from "../../../scripts/lib/test/lanes.ts";

Deno.test("runSideBySide() runs each file once, and no more at once than there are processors", async () => {
  const files = Array.from({ length: 20 }, (_, i) => `${i}`);
  const begun: string[] = [];
  let running = 0;
  let most = 0;
  const results = await runSideBySide(files, async (file) => {
    begun.push(file);
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    return file;
  });
  assert.deepEqual(begun, files);
  assert.deepEqual(new Set(results), new Set(files));
  assert.equal(most, Math.min(navigator.hardwareConcurrency, 4));
});

Deno.test("runSideBySide() begins no other file when the time is over", async () => {
  let over = false;
  const results = await runSideBySide(
    Array.from({ length: 20 }, (_, i) => `${i}`),
    (file) => {
      over = file === "3";
      return Promise.resolve(file);
    },
    () => over,
  );
  assert.ok(results.includes("3"));
  assert.ok(results.length < 8, `${results}`);
});
