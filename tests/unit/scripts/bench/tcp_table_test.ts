import assert from "node:assert/strict";
import type { Results } from "../../../../scripts/lib/bench/suite.ts";
import { formatTcpTable, judgeTcp } from "../../../../scripts/lib/bench/tcp/table.ts";

const RESULTS: Results = new Map([
  ["haproxy", [{ up: 10, requests: 1000 }, { up: 30, requests: 1000 }, { up: 11, requests: 1000 }]],
  ["tproxy", [{ up: 22, requests: 940 }, { up: 22, requests: 940 }]],
]);

Deno.test("formatTcpTable() shows medians and ratios, a dash for what was not measured", () => {
  const lines = formatTcpTable(RESULTS).split("\n");
  assert.equal(lines[2], "| haproxy | 11.00 | – | 1000 | – | – | – | – |");
  assert.equal(lines[3], "| tproxy | 22.00 | – | 940 | – | – | – | – |");
  assert.equal(lines[4], "| tproxy ÷ haproxy | 2.00 | – | 0.94 | – | – | – | – |");
});

Deno.test("judgeTcp() compares with the targets", () => {
  assert.deepEqual(judgeTcp(RESULTS), {
    held: false,
    lines: [
      "holds  up: 2.00 times haproxy, target 1.2",
      "MISSED  requests: 0.94 times haproxy, target 0.95",
    ],
  });
  assert.equal(judgeTcp(new Map([["tproxy", []]])), undefined);
  const early = new Map([["tproxy", [{ connections: 90 }]], ["tproxy, admission: early", [{
    connections: 100,
  }]]]);
  assert.deepEqual(judgeTcp(early)?.lines, [
    "holds  connections: 0.90 times tproxy, admission: early, target 0.85",
  ]);
});
