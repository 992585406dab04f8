import assert from "node:assert/strict";
import { FAMILIES } from "../../../../src/daemon/metrics/families.ts";
import { chooseForm, formatMetrics } from "../../../../src/daemon/metrics/text.ts";
import { snapshotOf } from "./support/snapshot.ts";

/** Series lines of a text, without comments. */
function seriesOf(text: string): string[] {
  return text.trimEnd().split("\n").filter((line) => !line.startsWith("#"));
}

Deno.test("formatMetrics() writes help, type and every series from the start", () => {
  const text = formatMetrics(snapshotOf(), "prometheus");
  assert.ok(text.includes(
    "# HELP tproxy_udp_datagrams_total Datagrams that were sent on: up is to the server.\n" +
      "# TYPE tproxy_udp_datagrams_total counter\n" +
      'tproxy_udp_datagrams_total{direction="up"} 0\ntproxy_udp_datagrams_total{direction="down"} 0\n',
  ));
  assert.ok(text.includes('tproxy_build_info{version="1.2.3",commit="0123456789ab",deno="2.9.6"} 1\n'));
  for (const { name, labels, series } of FAMILIES) {
    const own = series(snapshotOf({ upstreams: 1 }));
    assert.ok(own.length > 0, name);
    for (const one of own) assert.equal(one.labels.length, labels.length, name);
    for (const { value } of own) assert.ok(Number.isFinite(value), `${name} ${value}`);
  }
});

Deno.test("formatMetrics() names each series once, and has less than 2,000 with 64 rules and 256 upstreams", () => {
  const lines = seriesOf(formatMetrics(snapshotOf({ rules: 64, upstreams: 256 }), "prometheus"));
  const names = lines.map((line) => line.slice(0, line.lastIndexOf(" ")));
  assert.equal(new Set(names).size, names.length);
  assert.ok(lines.length < 2000, `${lines.length} series`);
});

Deno.test("formatMetrics() sums the buckets of a histogram", () => {
  const snapshot = snapshotOf();
  const counts = [1, 0, 2, 0, 0, 0, 0, 0, 0, 4];
  const account = { ...snapshot.account, dials: [{ family: "ipv4", counts, sumMs: 50_000 } as const] };
  const own = seriesOf(formatMetrics({ ...snapshot, account }, "openmetrics"))
    .filter((line) => line.startsWith("tproxy_dial")).map((line) =>
      line.replace("tproxy_dial_duration_seconds", "")
    );
  assert.deepEqual([own[0], own[2], own[8], own[9], own[10], own[11]], [
    '_bucket{family="ipv4",le="0.001"} 1',
    '_bucket{family="ipv4",le="0.01"} 3',
    '_bucket{family="ipv4",le="10"} 3',
    '_bucket{family="ipv4",le="+Inf"} 7',
    '_sum{family="ipv4"} 50',
    '_count{family="ipv4"} 7',
  ]);
});

Deno.test("formatMetrics() escapes the name of a rule, which may be any text", () => {
  const snapshot = snapshotOf();
  const rules = [{ ...snapshot.rules[0], name: 'a "b" \\n\nc', flows: 3 }];
  const text = formatMetrics({ ...snapshot, rules }, "prometheus");
  assert.ok(text.includes('\ntproxy_rule_matches_total{rule="a \\"b\\" \\\\n\\nc",action="direct"} 3\n'));
});

Deno.test("formatMetrics() writes OpenMetrics: counters' families without _total, and an end", () => {
  const [one, other] = (["prometheus", "openmetrics"] as const).map((form) =>
    formatMetrics(snapshotOf(), form)
  );
  assert.ok(other.includes("# TYPE tproxy_accept_pauses counter\ntproxy_accept_pauses_total 0\n"));
  const titles = other.match(/^# TYPE \S+/gm)!;
  assert.equal(new Set(titles).size, titles.length);
  assert.ok(other.endsWith("\n# EOF\n") && !one.includes("EOF"));
  assert.deepEqual(seriesOf(other), seriesOf(one));
});

Deno.test("chooseForm() gives OpenMetrics to those who prefer it", () => {
  const openmetrics = "application/openmetrics-text;version=1.0.0";
  const cases: [string | undefined, string][] = [
    [
      `${openmetrics},application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5`,
      "openmetrics",
    ],
    [`text/plain;q=0.9, ${openmetrics};q=0.1`, "prometheus"],
    [`${openmetrics};q=0`, "prometheus"],
    ["text/plain", "prometheus"],
    ["*/*", "prometheus"],
    [undefined, "prometheus"],
  ];
  for (const [accept, form] of cases) assert.equal(chooseForm(accept), form, accept);
});
