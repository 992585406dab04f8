import assert from "node:assert/strict";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { compileTable } from "../../../../src/kernel/nft/chains.ts";
import { renderRule } from "../../../../src/kernel/nft/rule_text.ts";
import type { Plan } from "../../../../src/kernel/plan/model.ts";
import { configWith, ROUTER } from "../support/view.ts";

function rulesOf(plan: Plan, chain: string): string[] {
  return compileTable(plan).chains.find(({ name }) => name === chain)!.rules
    .map(({ statements }) => renderRule(statements));
}

Deno.test("planInstall() plans a rule for each interface and a route for each family", () => {
  const { routingRules, routes } = planInstall(configWith({}, { mark: 0x30, table: 7 }), ROUTER);
  assert.deepEqual(
    routingRules.map(({ family, inputInterface }) => `${family} ${inputInterface}`),
    ["ipv4 br-lan", "ipv4 eth0", "ipv6 br-lan", "ipv6 eth0"],
  );
  for (const { mark, mask, table, priority, protocol } of routingRules) {
    assert.deepEqual({ mark, mask, table, priority, protocol }, {
      mark: 0x30,
      mask: 0x30,
      table: 7,
      priority: 500,
      protocol: 50,
    });
  }
  assert.deepEqual(routes.map(({ family, table }) => `${family} ${table}`), ["ipv4 7", "ipv6 7"]);
});

Deno.test("planInstall() uses the configured mark everywhere, and two bits above it for sockets", () => {
  const plan = planInstall(configWith({}, { mark: 0x10 }), ROUTER);
  const marks = compileTable(plan).chains.flatMap(({ rules }) =>
    rules.map(({ statements }) => renderRule(statements))
  )
    .join("\n").match(/0x[0-9a-f]+/g);
  assert.deepEqual([...new Set(marks)].toSorted(), ["0x10", "0x40"]);
  assert.deepEqual(rulesOf(plan, "untracked"), ["meta mark 0x40 notrack"]);
});

Deno.test("planInstall() leaves out the protocol that is not asked for", () => {
  const udp = planInstall(configWith({ protocols: ["udp"] }), ROUTER);
  assert.doesNotMatch(JSON.stringify(compileTable(udp)), /tcp/);
  const tcp = planInstall(configWith({ protocols: ["tcp"], onFailure: "drop" }), ROUTER);
  assert.doesNotMatch(JSON.stringify(compileTable(tcp)), /udp/);
});

Deno.test("planInstall() with one family leaves the other one's packets alone", () => {
  const plan = planInstall(configWith({ families: ["ipv6"] }), ROUTER);
  assert.ok(rulesOf(plan, "intercept").slice(1).every((rule) => rule.startsWith("meta nfproto ipv6 ")));
  assert.ok(rulesOf(plan, "divert").includes("meta nfproto ipv4 return"));
  assert.ok(rulesOf(plan, "divert_replies").includes("meta nfproto ipv4 return"));
  assert.ok([...plan.routingRules, ...plan.routes].every(({ family }) => family === "ipv6"));
});

Deno.test("planInstall() passes ports by that are not asked for, before anything else", () => {
  const plan = planInstall(configWith({ ports: [{ first: 80, last: 80 }] }), ROUTER);
  assert.equal(rulesOf(plan, "intercept")[0], "meta l4proto { tcp, udp } th dport != @ports return");
  assert.deepEqual(compileTable(plan).sets.map(({ name }) => name), ["ports", "served_ipv4", "served_ipv6"]);
});

Deno.test("planInstall() compares one interface by name, and looks several up in a set", () => {
  const [one] = rulesOf(planInstall(configWith(), ROUTER), "divert");
  assert.equal(one, 'iifname != "br-lan" return');
  const plan = planInstall(configWith({ interfaces: ["br-lan", "eth0"] }), ROUTER);
  assert.equal(rulesOf(plan, "divert")[0], "iifname != @lan return");
  assert.equal(rulesOf(plan, "divert_replies")[0], "iifname @lan return");
  assert.deepEqual(compileTable(plan).sets.map(({ name, elements }) => [name, elements]).slice(0, 1), [[
    "lan",
    [
      "br-lan",
      "eth0",
    ],
  ]]);
});

for (
  const [onFailure, expected] of [
    ["open", []],
    ["reset", [
      "tcp flags syn / fin,syn,rst,ack reject with tcp reset",
      "meta l4proto udp reject with icmpx port-unreachable",
    ]],
    ["drop", ["tcp flags syn / fin,syn,rst,ack drop", "meta l4proto udp drop"]],
  ] as const
) {
  Deno.test(`planInstall() ends the chain with what on-failure ${onFailure} wants`, () => {
    const rules = rulesOf(planInstall(configWith({ onFailure }), ROUTER), "intercept");
    assert.deepEqual(rules.slice(7), expected);
  });
}

Deno.test("planInstall() does IPv4 alone, with a warning, where IPv6 is off", () => {
  const { families, warnings } = planInstall(configWith(), { ...ROUTER, ipv6: "off" });
  assert.deepEqual(families, ["ipv4"]);
  assert.match(warnings[0], /^Only IPv4 is intercepted: IPv6 is disabled on this machine/);
});

Deno.test("planInstall() refuses IPv6 that was asked for by name where there is none", () => {
  const view = { ...ROUTER, ipv6: "absent" } as const;
  assert.throws(
    () => planInstall(configWith(), view, { familiesNamed: true }),
    /Cannot intercept "ipv6": this kernel has no IPv6/,
  );
  assert.throws(() => planInstall(configWith({ families: ["ipv6"] }), view), /this kernel has no IPv6/);
  assert.deepEqual(planInstall(configWith({ families: ["ipv4"] }), view).warnings, []);
});

Deno.test("planInstall() warns of a machine that does not forward", () => {
  const view = { ...ROUTER, forwarding: { ipv4: false, ipv6: true } };
  assert.deepEqual(planInstall(configWith(), view).warnings, [
    "net.ipv4.ip_forward is 0: this machine does not forward what is not intercepted",
  ]);
  assert.deepEqual(planInstall(configWith(), view, { admission: "forward-path" }).warnings, [
    "net.ipv4.ip_forward is 0: this machine forwards nothing, and so nothing comes to the proxy",
  ]);
});

for (const table of [0, 253, 254, 255, -1, 2 ** 32]) {
  Deno.test(`planInstall() refuses routing table ${table}`, () => {
    assert.throws(() => planInstall(configWith({}, { table }), ROUTER), { usage: true });
  });
}

for (const mark of [0, 0x40000000, 2 ** 32]) {
  Deno.test(`planInstall() refuses mark ${mark}, whose bits are too few`, () => {
    assert.throws(() => planInstall(configWith({}, { mark }), ROUTER), { usage: true });
  });
}

Deno.test("planInstall() refuses a table with another program's route, and uses one that does the same", () => {
  const route = { family: "ipv4", destination: "10.0.0.0/8", protocol: 3, deliversLocally: false } as const;
  assert.throws(
    () => planInstall(configWith(), { ...ROUTER, foreignRoutes: [route] }),
    /routing table "100": another program has a route to 10\.0\.0\.0\/8 .*"ip route show table 100".*kernel\.table/,
  );
  const same = { ...route, destination: "default", deliversLocally: true };
  const plan = planInstall(configWith(), { ...ROUTER, foreignRoutes: [same] });
  assert.deepEqual(plan.routes.map(({ family, foreign }) => [family, foreign]), [["ipv4", true], [
    "ipv6",
    false,
  ]]);
});
