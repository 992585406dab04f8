import assert from "node:assert/strict";
import { overlaps } from "../../../src/doctor/situation.ts";

Deno.test("overlaps() knows which rules a packet with our bit can match", () => {
  const cases: [mark: number, mask: number, expected: boolean][] = [
    [1, 0xffffffff, true],
    [1, 1, true],
    [3, 3, true],
    [2, 3, false],
    [0x80000, 0xff0000, false], // Tailscale
    [0x100, 0x3f00, false], // mwan3
    [0, 0, false],
  ];
  for (const [mark, mask, expected] of cases) {
    assert.equal(overlaps({ mark, mask }, 1), expected, `${mark}/${mask}`);
  }
});
