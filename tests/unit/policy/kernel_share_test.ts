import assert from "node:assert/strict";
import { parseConfig } from "../../../src/config/load.ts";
import { kernelShare } from "../../../src/policy/kernel_share.ts";

const SCOPE = { lan: ["lan0", "lan1"], families: ["ipv4", "ipv6"] } as const;

function share(yaml: string, scope: Parameters<typeof kernelShare>[1] = SCOPE) {
  return kernelShare(parseConfig(yaml, "policy"), scope);
}

Deno.test("kernelShare(): rules that packets decide are the kernel's, in order", () => {
  const { rules, otherwise, never, behind } = share(`
default: block
rules:
  - { name: home, action: bypass, to: [192.168.0.0/16] }
  - { action: block, silent: true, ports: [25] }
  - { action: direct }
  - { action: deliver, deliver-port: 3129, in: [lan1] }`);
  assert.deepEqual(rules.map(({ index, outcome, why }) => ({ index, outcome, why })), [
    { index: 0, outcome: { kind: "pass" }, why: "rules[0] (home): bypass" },
    { index: 1, outcome: { kind: "refuse", silently: true }, why: "rules[1] (rule 2): block" },
    { index: 2, outcome: { kind: "proxy" }, why: "rules[2] (rule 3): direct" },
    { index: 3, outcome: { kind: "program", port: 3129 }, why: "rules[3] (rule 4): deliver" },
  ]);
  assert.deepEqual(rules[1].conditions, { ports: [{ first: 25, last: 25 }] });
  assert.deepEqual(otherwise, { outcome: { kind: "refuse", silently: false }, why: "default: block" });
  assert.deepEqual([never, behind], [[], []]);
});

Deno.test("kernelShare(): a rule by domain sends to the proxy all that it may concern", () => {
  const { rules, behind } = share(`
rules:
  - { action: block, domains: [example.org], ports: [80, 443], from: [10.0.0.0/8] }
  - { name: inside, action: bypass, ports: [443], from: [10.1.0.0/16, 10.2.0.0/16], protocol: tcp }
  - { name: overlaps, action: bypass, ports: ["440-443"], from: [10.1.0.0/16] }
  - { name: elsewhere, action: block, from: [fd00::/8] }`);
  assert.deepEqual(rules.map(({ index, outcome }) => [index, outcome.kind]), [
    [0, "proxy"],
    [2, "pass"],
    [3, "refuse"],
  ]);
  assert.equal(rules[0].why, "rules[0] (rule 1): block, where the proxy finds one of its domains");
  assert.deepEqual(rules[0].conditions.ports, [{ first: 80, last: 80 }, { first: 443, last: 443 }]);
  assert.deepEqual(behind, [
    { index: 1, name: "inside", why: "rules[0] sends to the proxy all that it could match" },
  ]);
});

Deno.test("kernelShare(): behind a rule by domain alone nothing is left for the kernel", () => {
  const { rules, behind } = share(`
rules:
  - { action: bypass, ports: [22] }
  - { action: block, domains: [example.org] }
  - { action: bypass, protocol: udp, in: [lan0], mac: ["02:00:00:00:00:01"] }
  - { action: direct }`);
  assert.deepEqual(rules.map(({ index }) => index), [0, 1]);
  assert.deepEqual(behind.map(({ index }) => index), [2, 3]);
});

Deno.test("kernelShare() says which rules match nothing here", () => {
  const yaml = `
intercept: { protocols: [tcp], ports: [80] }
rules:
  - { name: a, action: block, protocol: udp }
  - { name: b, action: block, ports: [443] }
  - { name: c, action: block, in: [lan9] }
  - { name: d, action: block, from: [fd00::/8], to: [10.0.0.0/8] }
  - { name: e, action: block, to: [fd00::/8] }
  - { name: f, action: block, ports: ["1-80"], in: [lan9, lan0] }`;
  const { never, rules } = share(yaml, { ...SCOPE, families: ["ipv4"] });
  assert.deepEqual(never.map(({ name, why }) => `${name}: ${why}`), [
    "a: udp is not among intercept.protocols",
    "b: none of its ports is among intercept.ports",
    "c: clients are intercepted on lan0, lan1 alone",
    "d: its networks are of address families that do not meet, or are not intercepted",
    "e: its networks are of address families that do not meet, or are not intercepted",
  ]);
  assert.deepEqual(rules.map(({ index }) => index), [5]);
});
