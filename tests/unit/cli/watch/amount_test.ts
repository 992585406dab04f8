import assert from "node:assert/strict";
import { formatAge, formatAmount, formatBars } from "../../../../src/cli/watch/amount.ts";

Deno.test("formatAmount() has three digits at most, and never five characters of them", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [0.4, "0"],
    [1, "1 B"],
    [999, "999 B"],
    [999.6, "1.0 kB"],
    [1000, "1.0 kB"],
    [99_949, "99.9 kB"],
    [99_960, "100 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [31_400_000, "31.4 MB"],
    [1.2e12, "1.2 TB"],
  ];
  for (const [bytes, text] of cases) assert.equal(formatAmount(bytes), text);
  assert.equal(formatAmount(125_000, true), "1.0 Mb");
});

Deno.test("formatAge() grows no wider than six characters in three years", () => {
  assert.equal(formatAge(-5), "00:00");
  assert.equal(formatAge(41_000), "00:41");
  assert.equal(formatAge(7_860_000), "2h11m");
  assert.equal(formatAge(41 * 86_400_000 + 3 * 3_600_000), "41d03h");
});

Deno.test("formatBars() draws the last values, each beside the greatest", () => {
  assert.equal(formatBars([9, 0, 50, 100], 3), " ▅█");
  assert.equal(formatBars([7], 3), "  █");
  assert.equal(formatBars([], 3), "   ");
});
