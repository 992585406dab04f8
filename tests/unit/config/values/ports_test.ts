import assert from "node:assert/strict";
import { formatPorts, mergePorts, parsePortRange } from "../../../../src/config/values/ports.ts";

Deno.test("parsePortRange() reads ports and ranges within 1 to 65535", () => {
  assert.deepEqual(parsePortRange(443), { first: 443, last: 443 });
  assert.deepEqual(parsePortRange("443"), { first: 443, last: 443 });
  assert.deepEqual(parsePortRange("8000-8100"), { first: 8000, last: 8100 });
  assert.deepEqual(parsePortRange("1-65535"), { first: 1, last: 65535 });
});

Deno.test("parsePortRange() refuses all else", () => {
  for (
    const input of [
      0,
      65536,
      -1,
      1.5,
      NaN,
      "9-8",
      "0-5",
      "1-65536",
      "a",
      "",
      "1-",
      "-1",
      "1-2-3",
      null,
      [80],
      {},
    ]
  ) {
    assert.equal(parsePortRange(input), undefined, JSON.stringify(input));
  }
});

Deno.test("mergePorts() sorts, and joins what overlaps or touches", () => {
  const parsed = ["8000-8100", "443", "80", "8050-8200", "81", "9000-9001", "8060-8070"].map(parsePortRange);
  const merged = mergePorts(parsed.map((range) => range!));
  assert.equal(formatPorts(merged), "80-81, 443, 8000-8200, 9000-9001");
});
