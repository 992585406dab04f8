import assert from "node:assert/strict";
import { parseConfig } from "../../../src/config/load.ts";
import { formatPorts } from "../../../src/config/values/ports.ts";
import { formatPrefix } from "../../../src/net/ip.ts";
import { kernelShare } from "../../../src/policy/kernel_share.ts";

const SCOPE = { lan: ["lan0", "lan1"], families: ["ipv4", "ipv6"] } as const;

function share(yaml: string, scope: Parameters<typeof kernelShare>[1] = SCOPE) {
  return kernelShare(parseConfig(yaml, "policy"), scope);
}

/** Each rule as `index: what it asks of a port or protocol: outcome`. */
function shown(yaml: string): string[] {
  const { rules, otherwise } = share(yaml);
  const lines = rules.map(({ index, conditions: { ports, protocol, family, from }, outcome }) => {
    const asked = [
      protocol,
      family,
      ports && formatPorts(ports),
      from && from.map(formatPrefix).join(" "),
    ].filter((word) => word !== undefined);
    return `${index}: ${asked.join(" ") || "all"}: ${outcome.kind}`;
  });
  return [...lines, `otherwise: ${otherwise.outcome.kind}`];
}

Deno.test("kernelShare(): rules that packets decide are the kernel's, in order", () => {
  const { rules, otherwise, never } = share(`
default: block
rules:
  - { name: home, action: bypass, to: [192.168.0.0/16] }
  - { action: block, silent: true, ports: [25] }
  - { action: deliver, deliver-port: 3129, in: [lan1] }
  - { action: direct }
  - { action: block, ports: [80] }`);
  assert.deepEqual(rules.map(({ index, part, outcome, why }) => ({ index, part, outcome, why })), [
    { index: 0, part: 0, outcome: { kind: "pass" }, why: "rules[0] (home): bypass" },
    { index: 1, part: 0, outcome: { kind: "refuse", silently: true }, why: "rules[1] (rule 2): block" },
    { index: 2, part: 0, outcome: { kind: "program", port: 3129 }, why: "rules[2] (rule 3): deliver" },
    { index: 3, part: 0, outcome: { kind: "proxy" }, why: "rules[3] (rule 4): direct" },
  ]);
  assert.deepEqual(rules[1].conditions, { ports: [{ first: 25, last: 25 }] });
  assert.deepEqual(otherwise, { outcome: { kind: "refuse", silently: false }, why: "default: block" });
  assert.deepEqual(never, [{ index: 4, name: "rule 5", why: "rules[3] matches all that it could" }]);
});

Deno.test("kernelShare(): from client to client only rules that name destinations give flows to the proxy", () => {
  const insisting = (rules: string) =>
    share(`{ rules: [${rules}], upstreams: { office: { type: socks5, address: "10.9.0.2:1080" } } }`)
      .insisting.map(({ index, outcome }) => `${index}: ${outcome.kind}`);
  const guests = "to: [10.77.4.0/24]";
  const office = "action: proxy, upstream: office";
  assert.deepEqual(insisting(""), [], "a default");
  assert.deepEqual(insisting(`{ ports: [443], ${office} }, { domains: [a.example], ${office} }`), []);
  assert.deepEqual(insisting(`{ ${guests}, action: block }, { ${guests}, action: bypass }`), [], "decided");
  assert.deepEqual(insisting(`{ ${guests}, protocol: tcp, ${office} }`), ["0: proxy"]);
  assert.deepEqual(insisting(`{ ${guests}, action: direct }`), ["0: proxy"]);
  // What stands before it and lets such flows pass goes on doing so, names without a destination do not.
  assert.deepEqual(
    insisting(
      `{ ports: [22], ${office} }, { domains: [a.example], action: block }, { ${guests}, ${office} }`,
    ),
    ["0: pass", "2: proxy"],
  );
  // The name may refuse it, so that it must be read.
  assert.deepEqual(insisting(`{ ${guests}, domains: [a.example], action: block }`), ["0: watch"]);
});

Deno.test("kernelShare(): flows that a name lets pass or ends are watched, and no others", () => {
  assert.deepEqual(
    shown(`
default: bypass
rules:
  - { action: bypass, ports: [22] }
  - { action: block, domains: [ads.example], ports: [22, 80, 443] }
  - { action: direct, ports: [80] }
  - { action: block, ports: [25] }`),
    [
      "0: 22: pass",
      "1: 80: proxy",
      "1: 22, 80, 443: watch",
      "2: 80: proxy",
      "3: 25: refuse",
      "otherwise: pass",
    ],
  );
});

Deno.test("kernelShare(): where a name may choose an upstream the proxy reads it; elsewhere the kernel watches", () => {
  const yaml = (name: string) => `
default: bypass
upstreams: { a: { type: socks5, address: "192.0.2.1:1" } }
rules:
  - { action: block, domains: [ads.example] }
  - { action: proxy, upstream: a, domains: [work.example], ports: [443]${name} }`;
  assert.deepEqual(shown(yaml("")), ["0: 443: proxy", "0: all: watch", "1: 443: proxy", "otherwise: pass"]);
});

Deno.test("kernelShare(): names that change nothing cost nothing", () => {
  assert.deepEqual(
    shown(`
default: bypass
rules:
  - { action: bypass, domains: [a.example], ports: [80] }
  - { action: block, domains: [b.example], ports: [443] }
  - { action: block, ports: [443] }`),
    ["0: 80: pass", "1: 443: refuse", "2: 443: refuse", "otherwise: pass"],
  );
});

Deno.test("kernelShare(): a silent end is an end of its own", () => {
  const { rules } = share(`
rules:
  - { action: block, domains: [a.example] }
  - { action: block, silent: true }`);
  assert.deepEqual(rules.map(({ outcome }) => outcome.kind), ["watch", "refuse"]);
});

Deno.test("kernelShare(): what an upstream cannot carry ends as when-down says, and never goes direct by itself", () => {
  const yaml = (more: string) => `
upstreams:
  a: { type: http-connect, address: "192.0.2.1:1" }
  b: { type: socks5, address: "192.0.2.1:2", families: [ipv4] }
groups: { g: { members: [a, b] } }
rules:
  - { action: proxy, ${more} }
default: bypass`;
  assert.deepEqual(shown(yaml("upstream: a")), ["0: tcp: proxy", "0: udp: refuse", "otherwise: pass"]);
  assert.deepEqual(shown(yaml("upstream: a, when-down: direct")), ["0: all: proxy", "otherwise: pass"]);
  assert.deepEqual(shown(yaml("upstream: b")), ["0: ipv4: proxy", "0: ipv6: refuse", "otherwise: pass"]);
  assert.deepEqual(shown(yaml("upstream: g, protocol: udp")), [
    "0: udp ipv4: proxy",
    "0: udp ipv6: refuse",
    "otherwise: pass",
  ]);
  assert.deepEqual(shown(yaml("upstream: g, domains: [x.example]")), [
    "0: tcp ipv4: proxy",
    "0: tcp ipv6: proxy",
    "0: udp ipv4: proxy",
    "0: udp ipv6: watch",
    "otherwise: pass",
  ]);
  const { otherwise, rules } = share(`
default: proxy
default-upstream: a
upstreams: { a: { type: http-connect, address: "192.0.2.1:1" } }`);
  assert.deepEqual(rules.map(({ index, conditions, outcome }) => [index, conditions, outcome.kind]), [
    [-1, { protocol: "tcp" }, "proxy"],
  ]);
  assert.deepEqual(otherwise, {
    outcome: { kind: "refuse", silently: false },
    why: "default: proxy, but a cannot carry udp: block",
  });
  const { rules: [only] } = share(`
intercept: { protocols: [udp] }
rules: [{ action: proxy, upstream: a }]
upstreams: { a: { type: http-connect, address: "192.0.2.1:1" } }`);
  assert.equal(only.why, "rules[0] (rule 1): proxy, but a cannot carry any of it: block");
});

Deno.test("kernelShare() says why it does not decide alone", () => {
  const { rules } = share(`
default: bypass
rules:
  - { name: ads, action: block, domains: [ads.example] }
  - { name: dns, action: direct, ports: [53] }`);
  assert.deepEqual(rules.map(({ why }) => why), [
    "rules[0] (ads): block, where the name is one of its own; else rules[1] (dns): direct",
    "rules[0] (ads): block, where the name is one of its own; else default: bypass",
    "rules[1] (dns): direct",
  ]);
});

Deno.test("kernelShare(): dozens of rules with names do not fill the kernel", () => {
  const rules = Array.from({ length: 40 }, (_, at) => {
    const end = at % 2 === 0 ? "action: block" : "action: bypass";
    return `{ ${end}, domains: [a.example], ports: ["${at + 1}-${at + 60}"], from: [10.${
      2 * at
    }.0.0/15, 10.0.0.0/8, "fd00::/${8 + at}"] }`;
  });
  const before = performance.now();
  const { rules: shared } = share(`default: bypass\nrules: [${rules.join(", ")}]`);
  assert.ok(shared.length < 2200, `${shared.length} rules`);
  assert.ok(performance.now() - before < 2000);
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
