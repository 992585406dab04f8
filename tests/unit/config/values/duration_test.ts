import assert from "node:assert/strict";
import { formatDuration, parseDuration } from "../../../../src/config/values/duration.ts";

Deno.test("parseDuration() reads numbers with units, the largest first", () => {
  const cases: [string, number][] = [
    ["300ms", 300],
    ["10s", 10_000],
    ["2h", 7_200_000],
    ["1m30s", 90_000],
    ["1d2h3m4s5ms", 93_784_005],
    ["0s", 0],
  ];
  for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, text);
});

Deno.test("parseDuration() refuses all else", () => {
  for (const text of ["", "10", "s", "10 s", "1.5s", "-1s", "30s1m", "10S", "1m1m", "1e3s", " 1s"]) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

Deno.test("formatDuration() writes what parseDuration() reads", () => {
  assert.equal(formatDuration(90_000), "1m30s");
  assert.equal(formatDuration(0), "0s");
  for (const ms of [1, 999, 1000, 60_000, 3_600_001, 86_400_000]) {
    assert.equal(parseDuration(formatDuration(ms)), ms);
  }
});
