import assert from "node:assert/strict";
import { monotonicMicroseconds } from "../../../ffi/clock.ts";

Deno.test("monotonicMicroseconds() counts as the kernel's clock does", async () => {
  const [before, started] = [monotonicMicroseconds(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, 50));
  const passed = Number(monotonicMicroseconds() - before) / 1000;
  assert.ok(Math.abs(passed - (performance.now() - started)) < 20, `${passed} ms`);
  // The uptime counts what a suspended machine has slept, too.
  const uptime = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
  assert.ok(Number(before) / 1e6 <= uptime + 1, `${before} µs, ${uptime} s`);
  assert.ok(Number(before) / 1e6 > 1);
});
