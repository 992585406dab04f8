/** Plans with `admission: forward-path`: what differs from those that take flows early. */
import assert from "node:assert/strict";
import { parseConfig } from "../../../../src/config/load.ts";
import { compileTable } from "../../../../src/kernel/nft/chains.ts";
import { renderHook } from "../../../../src/kernel/nft/render.ts";
import { renderRule } from "../../../../src/kernel/nft/rule_text.ts";
import type { Plan } from "../../../../src/kernel/plan/model.ts";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import type { NetworkView } from "../../../../src/kernel/plan/view.ts";
import { ROUTER } from "../support/view.ts";

const OWN = "fib daddr type { local, broadcast, anycast, multicast } return";
const WILDCARD = "socket wildcard 1 accept";

function planOf(yaml: string, view: NetworkView = ROUTER): Plan {
  return planInstall(parseConfig(yaml, "f"), view);
}

/** The text of a chain; undefined where there is none. */
function chain(plan: Plan, name: string): string[] | undefined {
  return compileTable(plan).chains.find((chain) => chain.name === name)?.rules
    .map(({ statements }) => renderRule(statements));
}

Deno.test("planInstall() lets first packets ask, with a mark that is gone when they go on", () => {
  const plan = planOf("");
  assert.deepEqual(chain(plan, "intercept"), [
    OWN,
    "tcp flags syn / fin,syn,rst,ack meta mark set meta mark | 0x4 accept",
    "meta l4proto udp meta mark set meta mark | 0x4 accept",
  ]);
  assert.deepEqual(chain(plan, "unanswered"), [
    "meta mark & 0x4 == 0x4 meta mark set meta mark & 0xfffffffb accept",
  ]);
  const places = compileTable(plan).chains.flatMap(({ name, hook }) =>
    hook ? [`${name} ${renderHook(hook)}`] : []
  );
  assert.deepEqual(places, [
    "divert type filter hook prerouting priority raw - 10; policy accept;",
    "unanswered type filter hook prerouting priority -308; policy accept;",
    "late type filter hook prerouting priority 290; policy accept;",
    "zoned type filter hook output priority raw; policy accept;",
  ]);
});

Deno.test("planInstall() uses no bit of the mark but its own", () => {
  const text = JSON.stringify(
    compileTable(planOf("kernel: { mark: 0x10 }")).chains.map(({ rules }) =>
      rules.map(({ statements }) => renderRule(statements))
    ),
  );
  const marks = new Set(text.match(/0x[0-9a-f]+/g));
  assert.deepEqual([...marks].toSorted(), ["0x10", "0x40", "0xffffffbf"]);
});

for (
  const [onFailure, expected] of [
    ["reset", [
      "meta mark & 0x4 == 0x4 meta l4proto tcp reject with tcp reset",
      "meta mark & 0x4 == 0x4 meta l4proto udp reject with icmpx port-unreachable",
    ]],
    ["drop", ["meta mark & 0x4 == 0x4 drop"]],
  ] as const
) {
  Deno.test(`planInstall() ends what nobody has taken: on-failure ${onFailure}`, () => {
    assert.deepEqual(chain(planOf(`intercept: { on-failure: ${onFailure} }`), "unanswered"), expected);
  });
}

Deno.test("planInstall() gives clients' legs a conntrack zone, both ways, and marks them late", () => {
  const plan = planOf("listener: { port: 8899 }");
  assert.deepEqual(chain(plan, "accepted"), [OWN, "ct zone set 8899 accept"]);
  const answered = (ip: string) => `${ip} daddr . th dport . ${ip} saddr . th sport`;
  assert.deepEqual(chain(plan, "zoned"), [
    "meta priority 7470:0 ct zone set 8899 accept",
    "meta priority 7471:0 accept",
    "meta priority 7472:0 accept",
    `meta nfproto ipv4 meta l4proto tcp tcp flags rst / rst,ack ${answered("ip")} @answered_ipv4 drop`,
    `meta nfproto ipv6 meta l4proto tcp tcp flags rst / rst,ack ${answered("ip6")} @answered_ipv6 drop`,
    ...["ip", "ip6"].map((ip) =>
      `meta nfproto ipv${ip === "ip" ? 4 : 6} meta l4proto tcp ` +
      `${answered(ip)} @answered_ipv${ip === "ip" ? 4 : 6} ` +
      "ct zone set 8899 accept"
    ),
  ]);
  assert.deepEqual(chain(plan, "late")!.slice(0, 2), [
    "ct zone 8899 goto client_leg",
    'iifname "br-lan" return',
  ]);
  assert.deepEqual(chain(plan, "client_leg"), [
    'iifname "lo" goto receive',
    "meta mark set meta mark | 0x40000001 accept",
  ]);
});

Deno.test("planInstall() gives the listener what a proxy sends once more, and the end of a cookie's handshake", () => {
  const plan = planOf("intercept: { families: [ipv4] }");
  const flow = "ip saddr . th sport . ip daddr . th dport";
  assert.deepEqual(chain(plan, "receive"), [
    `meta nfproto ipv4 tcp flags syn / fin,syn,rst,ack update @answered_ipv4 { ${flow} }`,
    "meta nfproto ipv4 tcp flags syn / fin,syn,rst,ack tproxy ip to 127.0.0.1:50080 accept",
    "meta nfproto ipv4 meta l4proto udp tproxy ip to 127.0.0.1:50080 accept",
    "meta mark set meta mark | 0x40000001 accept",
  ]);
  assert.ok(chain(plan, "divert")!.includes(
    `meta nfproto ipv4 meta l4proto tcp ${flow} @answered_ipv4 tcp flags ack / syn,rst,ack ` +
      "tproxy ip to 127.0.0.1:50080 ct zone set 50080 meta mark set meta mark & 0xfffffffb accept",
  ));
  const udp = planOf("intercept: { protocols: [udp] }");
  assert.ok(compileTable(udp).sets.every(({ name }) => !/answered/.test(name)));
});

Deno.test("planInstall() looks for replies on an interface of clients too, where it leads to the outside", () => {
  const plan = planOf("intercept: { interfaces: [eth0] }");
  assert.doesNotMatch(chain(plan, "late")!.join("\n"), /iifname/);
});

Deno.test("planInstall() gives a socket on all addresses no flow for that alone, on either side", () => {
  const plan = planOf("");
  // It looks for connections alone: nobody listens at that port.
  assert.ok(chain(plan, "divert")!.includes("meta l4proto tcp tproxy to :1 goto accepted"));
  assert.ok(
    chain(plan, "late")!.includes(
      "meta l4proto tcp tproxy to :1 meta mark set meta mark | 0x40000001 accept",
    ),
  );
  const answers = "meta l4proto udp ct state established,related socket transparent 1 goto to_socket";
  assert.ok(chain(plan, "late")!.includes(answers));
  assert.equal(chain(plan, "to_socket")![0], WILDCARD);
});

Deno.test("planInstall() delivers to other programs early, tracked, and marks again what has lost its mark", () => {
  const plan = planOf("rules: [{ ports: [80], protocol: tcp, action: deliver, deliver-port: 3129 }]");
  assert.deepEqual(chain(plan, "accepted"), [
    OWN,
    "meta l4proto tcp th dport @rule0_ports meta mark set meta mark | 0x40000001 accept",
    "ct zone set 50080 accept",
  ]);
  assert.deepEqual(chain(plan, "late")!.slice(1, 4), [
    'iifname "br-lan" meta l4proto { tcp, udp } meta skuid != 4294967295 meta mark set meta mark | 0x40000001 accept',
    'iifname "br-lan" meta l4proto udp return',
    "meta l4proto tcp tproxy to :1 meta mark set meta mark | 0x40000001 accept",
  ]);
});

Deno.test("planInstall() refuses segments of unknown flows where it refuses connections, by the same rules", () => {
  assert.equal(chain(planOf("rules: [{ ports: [80], protocol: udp, action: block }]"), "strays"), undefined);
  const plan = planOf(`
    intercept: { ports: [1-1000] }
    rules:
      - { ports: [22], action: bypass }
      - { ports: [25], action: block, silent: true }
      - { to: [192.0.2.0/24], action: block }
      - { ports: [443], action: direct }
  `);
  assert.deepEqual(chain(plan, "strays"), [
    'iifname != "br-lan" return',
    "ct zone 50080 return",
    "tcp flags != syn / fin,syn,rst,ack ct state invalid,new goto stray",
  ]);
  assert.deepEqual(chain(plan, "stray"), [
    "meta l4proto tcp th dport != @ports return",
    "th dport @rule0_ports return",
    "th dport @rule1_ports goto stray_block_silently",
    "meta nfproto ipv4 ip daddr @rule2_to_ipv4 goto stray_block",
  ]);
  assert.deepEqual(chain(plan, "stray_block"), [OWN, "meta l4proto tcp reject with tcp reset"]);
  assert.deepEqual(chain(plan, "stray_block_silently"), [OWN, "meta l4proto tcp drop"]);
  assert.equal(chain(planOf("default: block"), "stray")!.at(-1), "goto stray_block");
});

Deno.test("planInstall() remembers whom LAN servers answer only where a rule could refuse the answer", () => {
  const remembers = (yaml: string) => compileTable(planOf(yaml)).sets.some(({ name }) => /served/.test(name));
  assert.ok(!remembers(""));
  assert.ok(!remembers("rules: [{ ports: [80], protocol: tcp, action: block }]"));
  assert.ok(remembers("default: block"));
  assert.ok(remembers("intercept: { router-traffic: true }"));
});

Deno.test("planInstall() brings all errors about the upstream leg to its socket: the client still waits", () => {
  assert.equal(chain(planOf(""), "late")!.filter((rule) => /^icmp/.test(rule)).length, 4);
});

Deno.test("planInstall() delivers first packets that come in from the loopback interface, in both families", () => {
  const rules = planOf("").routingRules.filter(({ inputInterface }) => inputInterface === "lo");
  assert.deepEqual(rules.map(({ family, mark, mask }) => [family, mark, mask]), [[
    "ipv4",
    0x40000003,
    0x40000003,
  ], [
    "ipv6",
    0x40000003,
    0x40000003,
  ]]);
  const early = planOf("intercept: { admission: early }").routingRules;
  assert.ok(early.every(({ inputInterface }) => inputInterface !== "lo"));
});

Deno.test("planInstall() lets the router's own flows ask, and needs no sign of life", () => {
  const plan = planOf("intercept: { router-traffic: true, on-failure: reset }");
  assert.deepEqual(chain(plan, "router_direct"), ["meta mark set meta mark | 0x4 accept"]);
  assert.deepEqual(chain(plan, "router_unanswered"), chain(plan, "unanswered"));
  const hooks = compileTable(plan).chains.filter(({ name }) => /^router(_unanswered)?$/.test(name));
  assert.deepEqual(hooks.map(({ hook }) => [hook!.type, hook!.priority]), [["route", -158], ["route", -160]]);
  assert.ok(compileTable(plan).sets.every(({ name }) => name !== "running"));
  assert.deepEqual(chain(plan, "zoned")!.slice(0, 3), [
    'oifname "lo" meta priority 7470:0 meta mark & 0x40000003 != 0x40000003 meta mark set meta mark | 0x40000003 accept',
    'oifname "lo" meta l4proto tcp socket transparent 1 meta mark & 0x40000003 != 0x40000003 meta mark set meta mark | 0x40000003 accept',
    "meta priority 7470:0 ct zone set 50080 accept",
  ]);
  assert.ok(chain(plan, "router")!.includes("meta priority 7470:0 return"));
  assert.ok(chain(plan, "router_loopback")!.includes("ct zone 50080 return"));
});
