import assert from "node:assert/strict";
import { monotonicMicroseconds, processorSeconds } from "../../../ffi/clock.ts";

Deno.test("monotonicMicroseconds() counts as the kernel's clock does", async () => {
  const outer = performance.now();
  const before = monotonicMicroseconds();
  const inner = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const least = performance.now() - inner;
  const passed = Number(monotonicMicroseconds() - before) / 1000;
  const most = performance.now() - outer;
  assert.ok(passed >= least - 1 && passed <= most + 1, `${passed} ms, not ${least} to ${most}`);
  // The uptime counts what a suspended machine has slept, too.
  const uptime = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
  assert.ok(Number(before) / 1e6 <= uptime + 1, `${before} µs, ${uptime} s`);
  assert.ok(Number(before) / 1e6 > 1);
});

Deno.test("processorSeconds() counts what all threads have worked, not the time that passes", async () => {
  const before = processorSeconds();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const slept = processorSeconds() - before;
  for (const end = processorSeconds() + 0.1; processorSeconds() < end;);
  const worked = processorSeconds() - before;
  assert.ok(slept >= 0 && slept < 0.2 && worked >= 0.1, `${slept} s, ${worked} s`);
});
