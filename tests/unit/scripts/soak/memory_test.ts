import assert from "node:assert/strict";
import { growthOf, type Sample } from "../../../../scripts/lib/soak/memory.ts";
import { judgeMemory, judgeRest, MOST_GROWTH } from "../../../../scripts/lib/soak/verdict.ts";

/** Twenty minutes of a process: 60 MB, a saw of garbage, and what it grows by in an hour. */
function life(perHour: number, more: (second: number) => number = () => 0): Sample[] {
  return Array.from({ length: 1200 }, (_, second) => ({
    time: second * 1000,
    bytes: 60e6 + (second * 7919) % 11 * 400e3 + second * perHour / 3600 + more(second),
  }));
}

Deno.test("growthOf() finds what grows under the garbage, and hardly more where nothing grows", () => {
  for (const perHour of [0, 3e6, 12e6, 100e6]) {
    const growth = growthOf(life(perHour))!;
    assert.ok(Math.abs(growth.perHour - perHour) < 0.5e6, `${growth.perHour} for ${perHour}`);
    assert.ok(growth.least <= growth.perHour && growth.perHour <= growth.most);
  }
});

Deno.test("growthOf() heeds neither a minute of much load nor the warm-up", () => {
  const burst = growthOf(life(0, (second) => second > 1050 && second < 1110 ? 30e6 : 0))!;
  const warm = growthOf(life(0, (second) => second < 380 ? second * 1e5 : 38e6))!;
  for (const growth of [burst, warm]) {
    assert.ok(Math.abs(growth.perHour) < 0.5e6, `${growth.perHour}`);
    assert.equal(judgeMemory(growth).held, true);
  }
});

Deno.test("judgeMemory() tells a leak, none, and that it cannot tell", () => {
  const growth = { perHour: 0, hours: 2, first: 60e6, last: 61e6 };
  const judge = (least: number, most: number) => judgeMemory({ ...growth, least, most }).held;
  assert.equal(judge(-1e6, MOST_GROWTH / 2 - 1), true);
  assert.equal(judge(MOST_GROWTH / 2 + 1, 1e9), false);
  assert.equal(judge(0, 1e9), undefined);
  assert.equal(judgeMemory(undefined).held, undefined);
  assert.equal(growthOf(life(0).slice(0, 100)), undefined, "too short");
  // A kilobyte of each connection, 70 of them in a second.
  assert.equal(judgeMemory(growthOf(life(70 * 1024 * 3600))).held, false);
});

Deno.test("judgeRest() tells a kilobyte of each flow", () => {
  assert.equal(judgeRest(60e6, 63e6, 30_000).held, true);
  const { held, found } = judgeRest(60e6, 60e6 + 30_000 * 1024, 30_000);
  assert.deepEqual([held, found], [false, "30.7 more, 90.7 MB; 1024 bytes a flow"]);
});
