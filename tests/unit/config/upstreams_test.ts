import assert from "node:assert/strict";
import { DEFAULT_CONFIG } from "../../../src/config/defaults.ts";
import { describeConfig } from "../../../src/config/describe.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { problemsOf } from "./problems.ts";

const CONFIG = parseConfig(
  `
source: client-address
upstreams:
  office: { type: socks5, address: "10.9.0.2:1080", username: me, send: name, udp-address: 192.0.2.7 }
  office2: { type: socks5, address: "gw.corp.example:1080", families: [ipv4, ipv4], udp: false, check: { rise: 5 } }
  edge: { type: forward, address: "[2001:db8::1]:0", proxy-protocol: v1, udp: false }
  lte: { type: direct, interface: wwan0, mark: 0x200/0xf00 }
  wan: { type: direct, source: router, mark: 256 }
groups:
  corp: { members: [office, office2] }
  far: { members: [lte], strategy: hash, when-down: direct }
checks: { interval: 30s, target: "www.example.com:443" }
rules:
  - { domains: [.corp.example], domains-file: /l, action: proxy, upstream: corp, when-down: direct }
  - { domains-file: [/l, /m, /l], action: bypass }
default: proxy
default-upstream: far
`,
  "f",
);
const CHECKS = {
  ...DEFAULT_CONFIG.checks,
  intervalMs: 30_000,
  target: { host: "www.example.com", port: 443 },
};

Deno.test("parseConfig() completes upstreams of every type", () => {
  const { office, office2, edge, lte, wan } = CONFIG.upstreams;
  assert.ok(office.type === "socks5" && office.send === "name" && office.udp);
  assert.deepEqual([...office.udpAddress!.bytes], [192, 0, 2, 7]);
  assert.deepEqual(office.check, CHECKS);
  assert.ok(office2.type === "socks5" && office2.send === "address" && !office2.udp);
  assert.deepEqual([office2.families, office2.check], [["ipv4"], { ...CHECKS, rise: 5 }]);
  assert.ok(edge.type === "forward" && edge.source === "router" && !edge.udp);
  assert.equal("port" in edge.address && edge.address.port, 0);
  assert.equal(edge.check.target, "none", "it reaches no other server");
  assert.ok(lte.type === "direct" && lte.source === "client-address" && lte.interface === "wwan0");
  assert.deepEqual(lte.mark, { value: 0x200, mask: 0xf00 });
  assert.ok(wan.type === "direct" && wan.source === "router");
  assert.deepEqual(wan.mark, { value: 256, mask: 256 });
});

Deno.test("parseConfig() completes groups, and rules that name files or groups", () => {
  assert.deepEqual(CONFIG.groups, {
    corp: { members: ["office", "office2"], strategy: "failover", whenDown: "block" },
    far: { members: ["lte"], strategy: "hash", whenDown: "direct" },
  });
  assert.deepEqual(CONFIG.rules, [
    {
      name: "rule 1",
      domains: [".corp.example"],
      domainFiles: ["/l"],
      upstream: "corp",
      whenDown: "direct",
      action: "proxy",
    },
    { name: "rule 2", domainFiles: ["/l", "/m"], action: "bypass" },
  ]);
  assert.equal(CONFIG.defaultUpstream, "far");
});

Deno.test("describeConfig() shows upstreams, groups and checks in a line each", () => {
  const shown = describeConfig(CONFIG).filter(([key]) =>
    /^(rules|default|upstreams|groups|checks)/.test(key)
  );
  const target = "target www.example.com:443";
  assert.deepEqual(shown.map(([key, text]) => `${key}: ${text}`), [
    "rules[0]: rule 1: domains .corp.example, those in /l → proxy to corp, when down: direct",
    "rules[1]: rule 2: domains those in /l, those in /m → bypass",
    "default: proxy",
    "default-upstream: far",
    "upstreams.office: socks5 10.9.0.2:1080, user me, is told names, UDP at 192.0.2.7",
    `upstreams.office2: socks5 gw.corp.example:1080, ipv4 only, no UDP, check every 30s, timeout 3s, rise 5, fall 3, ${target}`,
    "upstreams.edge: forward [2001:db8::1]:0, PROXY protocol v1, source router, no UDP",
    "upstreams.lte: direct, through wwan0, mark 0x200/0xf00, source client-address",
    "upstreams.wan: direct, mark 0x100/0x100, source router",
    "groups.corp: office, office2: failover, when down: block",
    "groups.far: lte: hash, when down: direct",
    "checks.interval: 30s",
    "checks.timeout: 3s",
    "checks.rise: 2",
    "checks.fall: 3",
    "checks.target: www.example.com:443",
  ]);
});

Deno.test("parseConfig() refuses an upstream that is the proxy's own listener", () => {
  const upstream = (address: string, port = "") =>
    problemsOf(`${port}\nupstreams: { a: { type: socks5, address: "${address}" } }`);
  for (const host of ["127.0.0.1", "127.8.0.1", "0.0.0.0", "[::1]", "[::]"]) {
    assert.deepEqual(upstream(`${host}:50080`), [
      "2:42: upstreams.a.address: this is tproxy's own listener: flows would come back to it",
    ], host);
    assert.deepEqual(upstream(`${host}:50080`, "listener: { port: 1234 }"), []);
    assert.equal(upstream(`${host}:1234`, "listener: { port: 1234 }").length, 1);
  }
  for (const place of ["127.0.0.1:1080", "192.0.2.1:50080", "[::2]:50080"]) {
    assert.deepEqual(upstream(place), []);
  }
});

Deno.test("parseConfig() refuses names of upstreams and groups that command a terminal", () => {
  assert.deepEqual(
    problemsOf('upstreams: { "a\\e[2J": { type: direct, interface: wan } }').map((line) =>
      line.replace(/^.*: /, "")
    ),
    ["this cannot be a name"],
  );
});
