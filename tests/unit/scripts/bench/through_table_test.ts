import assert from "node:assert/strict";
import type { Results } from "../../../../scripts/lib/bench/suite.ts";
import { formatThroughTable, judgeThrough } from "../../../../scripts/lib/bench/through/table.ts";

const RESULTS: Results = new Map([
  ["v2ray", [{ requests: 1000, up: 9 }]],
  ["tproxy", [{ requests: 1500, up: 8.5 }]],
]);

Deno.test("formatThroughTable() shows medians and the ratio, a dash for what was not measured", () => {
  const lines = formatThroughTable(RESULTS).split("\n");
  assert.equal(lines[0], "| median | v2ray | tproxy | tproxy ÷ v2ray |");
  assert.equal(lines[2], "| new connections/s | – | – | – |");
  assert.equal(lines[3], "| requests/s | 1000 | 1500 | 1.50 |");
});

Deno.test("judgeThrough() wants at least what v2ray does", () => {
  assert.deepEqual(judgeThrough(RESULTS), {
    held: false,
    lines: ["holds  requests: 1.50 times v2ray, target 1", "MISSED  up: 0.94 times v2ray, target 1"],
  });
  assert.equal(judgeThrough(new Map([["tproxy", []]])), undefined);
});
