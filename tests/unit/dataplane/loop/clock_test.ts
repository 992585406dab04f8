import assert from "node:assert/strict";
import { Clock } from "../../../../src/dataplane/loop/clock.ts";
import { TICK_MS } from "../../../../src/dataplane/loop/wheel.ts";

Deno.test("Clock counts ticks only when it is asked to", async () => {
  const clock = new Clock();
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 2.2 * TICK_MS));
  assert.equal(clock.tick, 0);
  clock.update();
  const passed = (performance.now() - start) / TICK_MS;
  assert.ok(clock.tick >= 2 && clock.tick <= passed + 1, `tick ${clock.tick} after ${passed}`);
});

Deno.test("Clock.sinceUpdate counts from the last reading", async () => {
  const clock = new Clock();
  await new Promise((resolve) => setTimeout(resolve, 30));
  const begun = performance.now();
  clock.update();
  await new Promise((resolve) => setTimeout(resolve, 30));
  const since = clock.sinceUpdate;
  assert.ok(since >= 29 && since <= performance.now() - begun, `${since} ms`);
});

Deno.test("Clock.millisecondsTo() ends when the tick has begun, and is at least 1", async () => {
  const clock = new Clock();
  clock.update();
  const next = clock.tick + 1;
  const wait = clock.millisecondsTo(next);
  assert.ok(wait >= 1 && wait <= TICK_MS, `${wait} ms`);
  await new Promise((resolve) => setTimeout(resolve, wait + 1));
  clock.update();
  assert.ok(clock.tick >= next);
  assert.equal(clock.millisecondsTo(0), 1);
});
