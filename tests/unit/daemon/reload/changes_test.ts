import assert from "node:assert/strict";
import { describeConfig } from "../../../../src/config/describe.ts";
import { parseConfig } from "../../../../src/config/load.ts";
import { compareConfigs, RESTART_KEYS } from "../../../../src/daemon/reload/changes.ts";

const parse = (text: string) => parseConfig(text, "test");

/** For each key, as `tproxy check` lists them, a config that sets it to something else than its default. */
const OTHERS: Readonly<Record<string, string>> = {
  "intercept.interfaces": "intercept: { interfaces: [lan0] }",
  "intercept.protocols": "intercept: { protocols: [tcp] }",
  "intercept.ports": "intercept: { ports: [80] }",
  "intercept.families": "intercept: { families: [ipv4] }",
  "intercept.router-traffic": "intercept: { router-traffic: true }",
  "intercept.on-failure": "intercept: { on-failure: drop }",
  "intercept.mptcp": "intercept: { mptcp: forward }",
  "intercept.admission": "intercept: { admission: early }",
  "listener.port": "listener: { port: 1 }",
  "listener.workers": "listener: { workers: 1 }",
  "kernel.mark": "kernel: { mark: 0x10 }",
  "kernel.table": "kernel: { table: 101 }",
  "kernel.backend": "kernel: { backend: iptables }",
  "source": "source: router",
  "rules": "rules: [{ action: block }]",
  "default": "default: block",
  "default-upstream":
    "default: proxy\ndefault-upstream: b\nupstreams: { a: { type: direct }, b: { type: direct } }",
  "upstreams": "upstreams: { a: { type: socks5, address: 192.0.2.1:1080 } }",
  "groups": "upstreams: { a: { type: direct } }\ngroups: { g: { members: [a] } }",
  "checks.interval": "checks: { interval: 1s }",
  "checks.timeout": "checks: { timeout: 1s }",
  "checks.rise": "checks: { rise: 9 }",
  "checks.fall": "checks: { fall: 9 }",
  "checks.target": "checks: { target: 'a.example:1' }",
  "udp.filtering": "udp: { filtering: endpoint-independent }",
  "udp.tos": "udp: { tos: clear }",
  "timeouts.connect": "timeouts: { connect: 1s }",
  "timeouts.tcp-idle": "timeouts: { tcp-idle: 1s }",
  "timeouts.half-closed": "timeouts: { half-closed: 1s }",
  "timeouts.udp-idle": "timeouts: { udp-idle: 1s }",
  "timeouts.udp-dns": "timeouts: { udp-dns: 1s }",
  "timeouts.sniff": "timeouts: { sniff: 1s }",
  "timeouts.drain": "timeouts: { drain: 1s }",
  "limits.connections": "limits: { connections: 9 }",
  "limits.per-client": "limits: { per-client: 9 }",
  "limits.udp-sessions": "limits: { udp-sessions: 9 }",
  "control": "control: off",
  "metrics": "metrics: 127.0.0.1:9",
  "log.level": "log: { level: debug }",
  "log.format": "log: { format: json }",
  "log.access": "log: { access: on }",
};

/** Keys that need others: what they are compared with. */
const BASES: Readonly<Record<string, string>> = {
  "default-upstream": OTHERS["default-upstream"].replace(": b", ": a"),
  "groups": "upstreams: { a: { type: direct } }",
};

Deno.test("compareConfigs() names the key that differs, for every key of a config", () => {
  assert.deepEqual(Object.keys(OTHERS), describeConfig(parse("")).map(([key]) => key));
  for (const [key, text] of Object.entries(OTHERS)) {
    const { restart, adoptable } = compareConfigs(parse(BASES[key] ?? ""), parse(text));
    assert.deepEqual([...restart, ...adoptable], [key], text);
    assert.deepEqual(restart, RESTART_KEYS.includes(key) ? [key] : [], text);
  }
});

Deno.test("compareConfigs() finds nothing in configs that say the same", () => {
  const text =
    "rules: [{ action: block, from: [10.0.0.0/8, fd00::/8], ports: [80], mac: ['02:00:00:00:00:01'] }]";
  assert.deepEqual(compareConfigs(parse(text), parse(`# a comment\n${text}`)), {
    restart: [],
    adoptable: [],
    kernel: false,
  });
});

Deno.test("compareConfigs() names rules by their place while there are as many of them", () => {
  const rules = (last: string) =>
    parse(`rules: [{ action: block, to: [10.0.0.1] }, { action: block, to: [${last}] }]`);
  assert.deepEqual(compareConfigs(rules("10.0.0.2"), rules("10.0.0.3")).adoptable, ["rules[1]"]);
  assert.deepEqual(compareConfigs(rules("10.0.0.2"), rules("10.0.0.2/31")).adoptable, ["rules[1]"]);
  assert.deepEqual(compareConfigs(rules("10.0.0.2"), parse("rules: [{ action: block }]")).adoptable, [
    "rules",
  ]);
});

Deno.test("compareConfigs() tells whether the kernel's half differs", () => {
  for (
    const text of [
      "source: router",
      "default: block",
      "rules: [{ action: block }]",
      "intercept: { ports: [80] }",
    ]
  ) {
    assert.equal(compareConfigs(parse(""), parse(text)).kernel, true, text);
  }
  for (
    const text of [
      "log: { level: debug }",
      "timeouts: { connect: 1s }",
      "limits: { per-client: 9 }",
      "udp: { tos: clear }",
    ]
  ) {
    assert.equal(compareConfigs(parse(""), parse(text)).kernel, false, text);
  }
});
