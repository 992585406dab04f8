import assert from "node:assert/strict";
import { parseConfig } from "../../../../src/config/load.ts";
import { adviseOn } from "../../../../src/policy/advice/advice.ts";

const UPSTREAMS = `
upstreams:
  a: { type: socks5, address: "192.0.2.1:1080" }
  b: { type: socks5, address: "proxy.example:1080" }
  c: { type: direct, interface: lan0 }
`;

/** The remarks on a config, each as the key that it is about and a part of what is said. */
function remarks(yaml: string): string[] {
  return adviseOn(parseConfig(yaml, "f")).map(({ path, text }) => `${path.join(".")}: ${text}`);
}

Deno.test("adviseOn() has nothing to say about what is meant so", () => {
  assert.deepEqual(
    remarks(`${UPSTREAMS}
intercept: { router-traffic: true }
rules:
  - { action: deliver, deliver-port: 3129, ports: [80] }
  - { action: block, domains: [ads.example] }
  - { action: bypass, to: [192.0.2.0/24] }
  - { action: bypass, ports: [53] }
  - { action: proxy, upstream: a, domains: [work.example] }
  - { action: proxy, upstream: a, from: [10.0.0.9] }
  - { action: proxy, upstream: b, from: [10.0.0.8] }`),
    [],
  );
});

Deno.test("adviseOn() finds rules that never match, change nothing, or come too late", () => {
  const [never, nothing, late, ...more] = remarks(`
rules:
  - { action: block, ports: [25] }
  - { action: bypass, ports: [25], from: [10.0.0.0/8] }
  - { name: last, action: direct, domains: [a.example], ports: [80] }
  - { action: block, domains: [b.example], ports: [8080] }
  - { action: deliver, deliver-port: 3129, ports: [8080] }`);
  assert.match(
    never,
    /^rules\.1: rules\[1\] \(rule 2\) never matches: rules\[0\] matches all that it could$/,
  );
  assert.match(nothing, /^rules\.2: rules\[2\] \(last\) changes nothing/);
  assert.match(late, /^rules\.4: rules\[4\] \(rule 5\) delivers nothing of what rules\[3\]/);
  assert.deepEqual(more, []);
});

Deno.test("adviseOn() finds loops, names resolved through themselves, and ways that lead to clients", () => {
  const found = remarks(`${UPSTREAMS}
intercept: { router-traffic: true, interfaces: [lan0] }
groups: { g: { members: [b, a] } }
rules: [{ action: proxy, upstream: g, protocol: tcp }]`);
  assert.equal(found.length, 2, found.join("\n"));
  assert.match(found[0], /^upstreams\.c\.interface: .*clients come in through lan0$/);
  assert.match(found[1], /^upstreams\.b\.address: .*proxy\.example may be resolved through b itself/);
  const loops = (address: string) =>
    remarks(`
upstreams: { e: { type: forward, address: "${address}" } }
default: proxy
default-upstream: e`);
  assert.match(
    loops("192.0.2.9:0")[0],
    /^default-upstream: default: proxy: .* to e itself would go there through e;/,
  );
  assert.deepEqual(loops("192.0.2.9:1080"), [], "the kernel leaves it alone");
  assert.deepEqual(loops("127.0.0.1:0"), [], "no client reaches it");
});

Deno.test("adviseOn() finds rules whose names an earlier rule has", () => {
  const quoted = (names: string) => names.split(", ").map((name) => `"${name}"`).join(", ");
  const found = (first: string, second: string, more = "") =>
    remarks(`
default: bypass
rules:
  - { action: block, domains: [${quoted(first)}]${more} }
  - { action: bypass, domains: [${quoted(second)}], ports: [443] }
  - { action: block, domains: [other.example] }`);
  const shadows = [["x.example", "x.example"], [".x.example", "www.x.example, x.example"], [
    "*.x.example",
    "*.www.x.example",
  ], ["a.example, .x.example", "*.x.example"]];
  for (const [first, second] of shadows) {
    assert.deepEqual(found(first, second), [
      "rules.1: rules[1] (rule 2) never matches: rules[0] has its names, and comes first",
    ], `${first} before ${second}`);
  }
  const others = [["*.x.example", "x.example"], ["x.example", ".x.example"], ["x.example", "xx.example"]];
  for (const [first, second] of others) assert.deepEqual(found(first, second), [], `${first}, ${second}`);
  assert.deepEqual(found("x.example", "x.example", ", ports: [80]"), [], "another port");
});

Deno.test("adviseOn() finds what a local proxy's own connections would come back by", () => {
  const local = (more: string, rules = "") =>
    remarks(`
upstreams: { tor: { type: socks5, address: "127.0.0.1:9050" } }
intercept: { ${more} }
${rules}
default: proxy
default-upstream: tor`);
  assert.match(local("router-traffic: true")[0], /^default-upstream: default: proxy: with router-traffic, /);
  assert.deepEqual(local("router-traffic: false"), []);
  assert.deepEqual(local("router-traffic: true", "rules: [{ action: bypass, protocol: tcp }]"), []);
});
