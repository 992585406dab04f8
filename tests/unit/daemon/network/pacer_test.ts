import assert from "node:assert/strict";
import { Pacer } from "../../../../src/daemon/network/pacer.ts";

Deno.test("Pacer.delay() is 0 after a quiet time, and grows while it goes on, up to ten seconds", () => {
  const pacer = new Pacer();
  const delays: number[] = [];
  let now = 0;
  for (let i = 0; i < 8; i++) {
    const delay = pacer.delay(now);
    delays.push(delay);
    now += delay;
  }
  assert.deepEqual(delays, [0, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  assert.equal(pacer.delay(now + 29_000), 0, "it is long enough ago, and the gap is still long");
  assert.equal(pacer.delay(now + 29_001), 9_999);
  assert.equal(pacer.delay(now + 100_000), 0);
  assert.equal(pacer.delay(now + 100_100), 400, "a quiet time makes it forget");
});
