import assert from "node:assert/strict";
import { monotonicMicroseconds, processorSeconds } from "../../../ffi/clock.ts";

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

Deno.test("processorSeconds() counts what all threads have worked, not the time that passes", async () => {
  const before = processorSeconds();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const slept = processorSeconds() - before;
  for (const end = processorSeconds() + 0.1; processorSeconds() < end;);
  const worked = processorSeconds() - before;
  assert.ok(slept >= 0 && slept < 0.1 && worked >= 0.1, `${slept} s, ${worked} s`);
  const [user, system] = Deno.readTextFileSync("/proc/self/stat").split(") ").at(-1)!.split(" ").slice(11)
    .map(Number);
  assert.ok(Math.abs(processorSeconds() - (user + system) / 100) < 0.5);
});
