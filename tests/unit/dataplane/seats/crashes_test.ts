import assert from "node:assert/strict";
import { CRASH_WINDOW_MS, Crashes, MAX_CRASHES } from "../../../../src/dataplane/seats/crashes.ts";

Deno.test("Crashes.bears() five failures within a minute, and not the sixth", () => {
  const crashes = new Crashes();
  for (let i = 0; i < MAX_CRASHES; i++) assert.ok(crashes.bears(1000 + i));
  assert.equal(crashes.bears(1000 + CRASH_WINDOW_MS - 1), false);
});

Deno.test("Crashes.bears() one failure a minute for ever", () => {
  const crashes = new Crashes();
  for (let minute = 0; minute < 100; minute++) assert.ok(crashes.bears(minute * CRASH_WINDOW_MS));
});
