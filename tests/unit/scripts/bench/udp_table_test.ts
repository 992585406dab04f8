import assert from "node:assert/strict";
import type { Results } from "../../../../scripts/lib/bench/suite.ts";
import { formatUdpTable, judgeUdp } from "../../../../scripts/lib/bench/udp/table.ts";

const v2ray = {
  "saturated.up64.delivered": 60_000,
  "saturated.up64.offered": 150_000,
  "saturated.down1200.delivered": 40_000,
  "saturated.down1200.offered": 140_000,
  "latency.p99": 200,
};
const tproxy = {
  "saturated.up64.delivered": 90_000,
  "saturated.up64.offered": 120_000,
  "saturated.down1200.delivered": 59_000,
  "saturated.down1200.offered": 130_000,
  "latency.p99": 201,
  "sessions.bytes": 595.4,
};
const RESULTS: Results = new Map<string, Record<string, number>[]>([
  ["forwarding", []],
  ["v2ray", [v2ray]],
  ["tproxy", [tproxy]],
]);

Deno.test("formatUdpTable() has a row for each measure that somebody has, with the ratio", () => {
  assert.deepEqual(formatUdpTable(RESULTS).split("\n"), [
    "| median | forwarding | v2ray | tproxy | tproxy ÷ v2ray |",
    "| --- | ---: | ---: | ---: | ---: |",
    "| saturated to server, 64 bytes: delivered/s of offered/s | – | 60000 of 150000 | 90000 of 120000 | 1.50 |",
    "| saturated to client, 1200 bytes: delivered/s of offered/s | – | 40000 of 140000 | 59000 of 130000 | 1.48 |",
    "| one exchange at a time: p99, µs | – | 200 | 201 | 1.00 |",
    "| memory for each session, bytes | – | – | 595 | – |",
  ]);
});

Deno.test("formatUdpTable() has no ratios without v2ray", () => {
  const lines = formatUdpTable(new Map([["tproxy", [tproxy]]])).split("\n");
  assert.equal(lines[0], "| median | tproxy |");
  assert.equal(lines[2], "| saturated to server, 64 bytes: delivered/s of offered/s | 90000 of 120000 |");
});

Deno.test("formatUdpTable() compares both admissions, also in how sessions begin", () => {
  const opening = (rate: number) => ({ "opening.many.rate": rate, "opening.median": 400 });
  const results = new Map([["tproxy", [opening(12_000)]], ["tproxy, admission: early", [opening(16_000)]]]);
  assert.deepEqual(formatUdpTable(results).split("\n"), [
    "| median | tproxy | tproxy, admission: early | tproxy ÷ tproxy, admission: early |",
    "| --- | ---: | ---: | ---: |",
    "| a session begins: first exchange, median, µs | 400 | 400 | 1.00 |",
    "| new sessions/s, 32 at once | 12000 | 16000 | 0.75 |",
  ]);
});

Deno.test("judgeUdp() compares with the targets", () => {
  assert.deepEqual(judgeUdp(RESULTS), {
    held: false,
    lines: [
      "holds  saturated.up64.delivered: 1.50 times v2ray, target at least 1.5",
      "MISSED  saturated.down1200.delivered: 1.48 times v2ray, target at least 1.5",
      "MISSED  latency.p99: 1.00 times v2ray, target at most 1",
      "holds  sessions.bytes: 595, target less than 1024",
    ],
  });
  const heavy = new Map([["v2ray", [{}]], ["tproxy", [{ "sessions.bytes": 1024 }]]]);
  assert.deepEqual(judgeUdp(heavy), {
    held: false,
    lines: ["MISSED  sessions.bytes: 1024, target less than 1024"],
  });
  assert.equal(judgeUdp(new Map([["tproxy", [tproxy]]])), undefined);
});
