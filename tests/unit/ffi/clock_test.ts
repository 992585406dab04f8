import assert from "node:assert/strict";
import {
  monotonicMicroseconds,
  monotonicMilliseconds,
  processorSeconds,
  sinceEpoch,
} from "../../../ffi/clock.ts";

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

Deno.test("monotonicMilliseconds() is CLOCK_MONOTONIC, in every thread", async () => {
  const isNow = (moment: number) => {
    const now = Number(monotonicMicroseconds()) / 1000;
    return moment <= now && moment > now - 2000;
  };
  assert.ok(isNow(monotonicMilliseconds()));
  const clock = import.meta.resolve("../../../ffi/clock.ts");
  const text = `import { monotonicMilliseconds } from "${clock}"; self.postMessage(monotonicMilliseconds());`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(text)}`, { type: "module" });
  const { data } = await new Promise<MessageEvent<number>>((resolve) => worker.onmessage = resolve);
  worker.terminate();
  assert.ok(isNow(data), `${data}`);
});

Deno.test("sinceEpoch() gives a moment one number, until the system's clock is set", () => {
  const moment = monotonicMilliseconds();
  const before = sinceEpoch(moment);
  assert.ok(Math.abs(before - Date.now()) < 200);
  const now = Date.now;
  try {
    Date.now = () => now() + 20; // a reading that was interrupted
    assert.equal(sinceEpoch(moment), before);
    Date.now = () => now() - 86_400_000;
    const after = sinceEpoch(moment);
    assert.ok(Math.abs(before - 86_400_000 - after) < 200, `${after}`);
    assert.equal(sinceEpoch(moment), after);
  } finally {
    Date.now = now;
  }
});
