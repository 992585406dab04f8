import assert from "node:assert/strict";
import { Clock } from "../../../../src/dataplane/loop/clock.ts";
import { Throttle } from "../../../../src/dataplane/loop/throttle.ts";
import { TICK_MS } from "../../../../src/dataplane/loop/wheel.ts";

Deno.test("Throttle allows a warning at once, and then once in 30 s", () => {
  const clock = new Clock();
  const throttle = new Throttle(clock);
  assert.deepEqual([throttle.allows(), throttle.allows()], [true, false]);
  clock.tick = 30_000 / TICK_MS - 1;
  assert.equal(throttle.allows(), false);
  clock.tick++;
  assert.deepEqual([throttle.allows(), throttle.allows()], [true, false]);
});
