import assert from "node:assert/strict";
import { formatByNameTable, judgeByName } from "../../../../scripts/lib/bench/by_name/table.ts";
import type { Results } from "../../../../scripts/lib/bench/suite.ts";

const RESULTS: Results = new Map([
  ["forwarding", [{ requests: 1000, "ssh.p99": 0.5 }]],
  ["haproxy", [{ requests: 400, "ssh.p99": 200 }]],
  ["tproxy", [{ requests: 890, "ssh.p99": 2.6 }, { requests: 880, "ssh.p99": 2.8 }]],
]);

Deno.test("formatByNameTable() shows medians and ratios, a dash for what was not measured", () => {
  const lines = formatByNameTable(RESULTS).split("\n");
  assert.equal(
    lines[0],
    "| median | forwarding | haproxy | tproxy | tproxy ÷ forwarding | tproxy ÷ haproxy |",
  );
  assert.equal(lines[2], "| new connections/s | – | – | – | – | – |");
  assert.equal(lines[4], "| requests/s | 1000 | 400 | 885 | 0.89 | 2.21 |");
});

Deno.test("judgeByName() compares with the targets", () => {
  assert.deepEqual(judgeByName(RESULTS), {
    held: false,
    lines: [
      "MISSED  requests: 0.89 times forwarding, target 0.9",
      "holds  requests: 2.21 times haproxy, target 2",
      "MISSED  ssh.p99: 2.20 ms later than forwarded, target 2",
    ],
  });
  assert.equal(judgeByName(new Map([["tproxy", []]])), undefined);
});
