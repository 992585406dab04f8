import assert from "node:assert/strict";
import type { Config } from "../../../../../src/config/types.ts";
import { parseConfig } from "../../../../../src/config/load.ts";
import type { Plan } from "../../../../../src/kernel/plan/model.ts";
import { planInstall } from "../../../../../src/kernel/plan/plan.ts";
import { compileTable } from "../../../../../src/kernel/nft/chains.ts";
import { renderRule } from "../../../../../src/kernel/nft/rule_text.ts";
import { elementTexts } from "../../../../../src/kernel/nft/set_elements.ts";
import { ROUTER } from "../../support/view.ts";

const OWN = "{ local, broadcast, anycast, multicast }";
const SPARE_OWN = `fib daddr type ${OWN} return`;
const ANSWER = "ip saddr . th sport . ip daddr . th dport";
const SPARE_ANSWERS =
  `meta nfproto ipv4 meta l4proto udp ${ANSWER} @served_ipv4 update @served_ipv4 { ${ANSWER} } accept`;

function planOf(yaml: string): Plan {
  const config: Config = parseConfig(yaml, "f");
  return planInstall({ ...config, intercept: { ...config.intercept, admission: "early" } }, ROUTER);
}

/** The text of a chain; undefined where there is none. */
function chain(plan: Plan, name: string): string[] | undefined {
  return compileTable(plan).chains.find((chain) => chain.name === name)?.rules
    .map(({ statements }) => renderRule(statements));
}

function sets(plan: Plan): Record<string, string> {
  return Object.fromEntries(
    compileTable(plan).sets.filter(({ name }) => !name.startsWith("served_"))
      .map((set) => [set.name, `${set.type}: ${elementTexts(set).join(" ")}`]),
  );
}

Deno.test("planInstall() compiles every matcher into a set, once for each family that has networks", () => {
  const plan = planOf(`
    default: bypass
    rules:
      - name: all of them
        from: [10.0.0.0/8, "fd00::/8"]
        to: [192.0.2.0/24, "2001:db8::/32"]
        ports: [443, "80-81"]
        protocol: tcp
        in: [br-lan]
        mac: [02:00:5E:10:00:01]
        action: block
        silent: true
      - { from: [10.1.0.0/16, "fd00::/8"], to: [192.0.2.1], action: bypass }
      - { protocol: udp, action: block }`);
  const matches = "meta l4proto tcp th dport @rule0_ports iifname @rule0_in ether saddr @rule0_mac";
  assert.deepEqual(chain(plan, "intercept"), [
    `meta nfproto ipv4 ${matches} ip saddr @rule0_from_ipv4 ip daddr @rule0_to_ipv4 goto block_silently`,
    `meta nfproto ipv6 ${matches} ip6 saddr @rule0_from_ipv6 ip6 daddr @rule0_to_ipv6 goto block_silently`,
    "meta nfproto ipv4 ip saddr @rule1_from_ipv4 ip daddr @rule1_to_ipv4 accept",
    "meta l4proto udp goto block",
    "accept",
  ]);
  assert.deepEqual(sets(plan), {
    rule0_ports: "inet_service: 80-81 443",
    rule0_in: "ifname: br-lan",
    rule0_mac: "ether_addr: 02:00:5e:10:00:01",
    rule0_from_ipv4: "ipv4_addr: 10.0.0.0/8",
    rule0_to_ipv4: "ipv4_addr: 192.0.2.0/24",
    rule0_from_ipv6: "ipv6_addr: fd00::/8",
    rule0_to_ipv6: "ipv6_addr: 2001:db8::/32",
    rule1_from_ipv4: "ipv4_addr: 10.1.0.0/16",
    rule1_to_ipv4: "ipv4_addr: 192.0.2.1",
  });
  assert.deepEqual(plan.warnings, []);
});

Deno.test("planInstall() merges networks that overlap or touch", () => {
  const plan = planOf(
    "rules: [{ action: bypass, to: [10.0.0.0/9, 10.128.0.0/9, 10.1.0.0/16, 192.0.2.1, 192.0.2.2, 192.0.2.3, 0.0.0.0/32, 255.255.255.255] }]",
  );
  assert.deepEqual(sets(plan), {
    rule0_to_ipv4: "ipv4_addr: 0.0.0.0 10.0.0.0/8 192.0.2.1-192.0.2.3 255.255.255.255",
  });
  assert.deepEqual(sets(planOf('rules: [{ action: bypass, to: [0.0.0.0/1, 128.0.0.0/1, "::/0", "::1"] }]')), {
    rule0_to_ipv4: "ipv4_addr: 0.0.0.0/0",
    rule0_to_ipv6: "ipv6_addr: ::/0",
  });
});

Deno.test("planInstall() makes only the chains that rules go to", () => {
  const names = (yaml: string) =>
    compileTable(planOf(yaml)).chains.filter(({ hook }) => hook === undefined)
      .map(({ name }) => name);
  assert.deepEqual(names(""), ["intercept"]);
  assert.deepEqual(names("default: block"), ["block", "intercept"]);
  assert.deepEqual(names("rules: [{ action: block, silent: true }, { action: bypass }]"), [
    "block_silently",
    "intercept",
  ]);
  assert.deepEqual(names("rules: [{ action: direct, ports: [1] }]\ndefault: bypass"), [
    "direct",
    "intercept",
  ]);
  assert.deepEqual(
    names(
      "rules: [{ action: deliver, deliver-port: 1, protocol: udp }, { action: deliver, deliver-port: 1, ports: [2], protocol: udp }]",
    ),
    ["deliver_1", "intercept"],
  );
});

Deno.test("planInstall() answers what it blocks by protocol", () => {
  assert.deepEqual(chain(planOf("default: block\nintercept: { families: [ipv4] }"), "block"), [
    SPARE_OWN,
    SPARE_ANSWERS,
    "tcp flags syn / fin,syn,rst,ack reject with tcp reset",
    "meta l4proto udp reject with icmpx port-unreachable",
  ]);
  assert.deepEqual(
    chain(planOf("default: block\nintercept: { protocols: [udp], families: [ipv4] }"), "block"),
    [
      SPARE_OWN,
      SPARE_ANSWERS,
      "meta l4proto udp reject with icmpx port-unreachable",
    ],
  );
});

const DELIVER = `
  intercept: { families: [ipv4], on-failure: reset }
  rules:
    - { ports: [80], protocol: tcp, action: deliver, deliver-port: 3129 }
    - { ports: [53], protocol: udp, action: bypass }
    - { ports: [443], action: bypass }
    - { ports: [8080], action: deliver, deliver-port: 3129 }
    - { to: [192.0.2.0/24], action: block }`;

Deno.test("planInstall() delivers tracked, and by on-failure where nobody listens", () => {
  const deliver = "meta mark set meta mark | 0x1 accept";
  assert.deepEqual(chain(planOf(DELIVER), "deliver_3129"), [
    SPARE_OWN,
    SPARE_ANSWERS,
    `meta nfproto ipv4 tcp flags syn / fin,syn,rst,ack tproxy ip to 127.0.0.1:3129 ${deliver}`,
    `meta nfproto ipv4 meta l4proto udp tproxy ip to 127.0.0.1:3129 ${deliver}`,
    "tcp flags syn / fin,syn,rst,ack reject with tcp reset",
    "meta l4proto udp reject with icmpx port-unreachable",
  ]);
});

Deno.test("planInstall() tells other programs' connections from ours by mark and, where a socket has none, by rule", () => {
  const plan = planOf(DELIVER);
  assert.deepEqual(chain(plan, "divert")?.slice(2, 6), [
    "tcp flags syn / fin,syn,rst,ack goto intercept",
    "meta l4proto tcp socket transparent 1 socket mark 0x4 " +
    `fib daddr type != ${OWN} meta mark set meta mark | 0x1 notrack accept`,
    `meta l4proto tcp socket transparent 1 fib daddr type != ${OWN} goto accepted`,
    "meta l4proto tcp accept",
  ]);
  // No rule for UDP, and none after the last that delivers.
  assert.deepEqual(chain(plan, "accepted"), [
    "meta l4proto tcp th dport @rule0_ports meta mark set meta mark | 0x1 accept",
    "th dport @rule2_ports meta mark set meta mark | 0x1 notrack accept",
    "th dport @rule3_ports meta mark set meta mark | 0x1 accept",
    "meta mark set meta mark | 0x1 notrack accept",
  ]);
});

Deno.test("planInstall() checks intercept.ports before the rules", () => {
  const [first] = chain(planOf("intercept: { ports: [80] }\nrules: [{ action: block }]"), "intercept")!;
  assert.equal(first, "meta l4proto { tcp, udp } th dport != @ports return");
});

for (
  const [rule, reason] of [
    ["protocol: udp", "udp is not among intercept.protocols"],
    ["ports: [90, 70]", "none of its ports is among intercept.ports"],
    ["in: [eth0]", "clients are intercepted on br-lan alone"],
    ["to: ['fc00::/7']", "its networks are of address families that do not meet, or are not intercepted"],
    ["to-file: /dev/null", "its list of networks is empty"],
  ]
) {
  Deno.test(`planInstall() leaves out, with a warning, a rule with ${rule}`, () => {
    const plan = planOf(
      `intercept: { protocols: [tcp], ports: [80], families: [ipv4] }\nrules: [{ name: x, ${rule}, action: block }]`,
    );
    assert.deepEqual(plan.warnings, [`rules[0] (x) never matches: ${reason}`]);
    assert.deepEqual(Object.keys(sets(plan)), ["ports"]);
    assert.equal(chain(plan, "block"), undefined);
  });
}

Deno.test("planInstall() leaves the answers to flows alone that others have begun, where UDP is intercepted", () => {
  const plan = planOf("intercept: { families: [ipv4] }");
  assert.deepEqual(chain(plan, "served"), [
    'iifname != "br-lan" oifname "br-lan" meta nfproto ipv4 meta l4proto udp ct direction original ' +
    "update @served_ipv4 { ip daddr . th dport . ip saddr . th sport }",
  ]);
  assert.equal(chain(plan, "intercept")![1], SPARE_ANSWERS);
  const tcp = planOf("intercept: { protocols: [tcp] }");
  assert.equal(chain(tcp, "served"), undefined);
  assert.deepEqual(compileTable(tcp).sets, []);
});
