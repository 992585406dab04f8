import assert from "node:assert/strict";
import { loadText } from "../../../../src/config/load.ts";
import { describeDifference } from "../../../../src/daemon/reload/difference.ts";

function differ(before: string, after: string): string[] {
  const config = (text: string) => loadText(text, "/etc/tproxy/tproxy.yaml").config;
  return describeDifference(config(before), config(after));
}

Deno.test("a key that differs is shown with both values, and nothing else is", () => {
  assert.deepEqual(differ("timeouts: { connect: 3s }", "timeouts: { connect: 3s }"), []);
  assert.deepEqual(
    differ("timeouts: { connect: 3s }\ndefault: direct", "timeouts: { connect: 5s }\ndefault: block"),
    ["default: direct → block", "timeouts.connect: 3s → 5s"],
  );
});

Deno.test("upstreams that come and go are lines of their own", () => {
  const upstream = (name: string, port: number) =>
    `upstreams: { ${name}: { type: socks5, address: "192.0.2.1:${port}" } }`;
  assert.match(differ("", upstream("office", 1080)).join("\n"), /^\+ upstreams\.office: socks5 [^\n]*$/);
  assert.match(differ(upstream("office", 1080), "").join("\n"), /^- upstreams\.office: socks5 [^\n]*$/);
  assert.match(
    differ(upstream("office", 1080), upstream("office", 1081)).join("\n"),
    /^upstreams\.office: socks5 .*1080.* → socks5 .*1081[^\n]*$/,
  );
});

Deno.test("a rule that was inserted is one line, one that was changed is two", () => {
  const rules = (...ports: number[]) =>
    `rules:\n${ports.map((port) => `  - { name: p${port}, ports: [${port}], action: block }\n`).join("")}`;
  assert.deepEqual(differ(rules(1, 2, 3), rules(1, 9, 2, 3)), ["+ rules[1] p9: ports 9 → block"]);
  assert.deepEqual(differ(rules(1, 2, 3, 4, 5), rules(1, 3, 8, 5)), [
    "- rules[1] p2: ports 2 → block",
    "- rules[3] p4: ports 4 → block",
    "+ rules[2] p8: ports 8 → block",
  ]);
  assert.deepEqual(differ("", rules(7)), ["+ rules[0] p7: ports 7 → block"]);
  assert.deepEqual(differ(rules(7), ""), ["- rules[0] p7: ports 7 → block"]);
});

Deno.test("thousands of rules are compared in no time", () => {
  const rules = (from: number) =>
    `rules:\n${
      Array.from({ length: 3000 }, (_, i) => `  - { ports: [${from + i}], action: block }\n`).join("")
    }`;
  const began = performance.now();
  assert.equal(differ(rules(1), rules(2)).length, 6000);
  assert.ok(performance.now() - began < 20_000);
});
