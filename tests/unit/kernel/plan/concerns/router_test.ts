import assert from "node:assert/strict";
import { parseConfig } from "../../../../../src/config/load.ts";
import type { Config, InterceptConfig } from "../../../../../src/config/types.ts";
import type { Plan } from "../../../../../src/kernel/plan/model.ts";
import { planInstall } from "../../../../../src/kernel/plan/plan.ts";
import { compileTable } from "../../../../../src/kernel/nft/chains.ts";
import { renderHook } from "../../../../../src/kernel/nft/render.ts";
import { renderRule } from "../../../../../src/kernel/nft/rule_text.ts";
import { compileIptables } from "../../../../../src/kernel/iptables/compile/compile.ts";
import { configWith, ROUTER } from "../../support/view.ts";

function plan(intercept: Partial<InterceptConfig> = {}, rest: Partial<Config> = {}): Plan {
  return planInstall({ ...configWith({ routerTraffic: true, ...intercept }), ...rest }, ROUTER);
}

function rulesOf(plan: Plan, chain: string): string[] {
  return compileTable(plan).chains.find(({ name }) => name === chain)!.rules.map(({ statements }) =>
    renderRule(statements)
  );
}

function rules(text: string): Pick<Config, "rules"> {
  return { rules: parseConfig(`rules: [${text}]`, "f").rules };
}

Deno.test("planInstall() adds nothing for the router's own traffic unless it is asked for", () => {
  const without = planInstall(configWith(), ROUTER);
  const added = plan();
  assert.doesNotMatch(
    JSON.stringify([compileTable(without), without.routingRules]),
    /"router|"lo"|"running"/,
  );
  const names = (of: readonly { name: string }[], known: readonly { name: string }[]) =>
    of.map(({ name }) => name).filter((name) => !known.some((other) => other.name === name));
  assert.deepEqual(names(compileTable(added).chains, compileTable(without).chains), [
    "router_block",
    "router_direct",
    "router_new",
    "router",
    "router_loopback",
    "router_served",
  ]);
  assert.deepEqual(names(compileTable(added).sets, compileTable(without).sets), [
    "running",
    "spared_ports",
    "link_local_ipv4",
    "link_local_ipv6",
  ]);
  // What is there for clients stays as it is.
  for (const { name } of compileTable(without).chains.filter(({ name }) => name !== "untracked")) {
    assert.deepEqual(rulesOf(added, name), rulesOf(without, name));
  }
  assert.equal(rulesOf(added, "untracked").at(-1), rulesOf(without, "untracked")[0]);
});

Deno.test("planInstall() gives the router's own traffic a mark of its own, delivered from lo alone", () => {
  const { routingRules } = planInstall(configWith({ routerTraffic: true }, { mark: 0x30 }), ROUTER);
  assert.deepEqual(
    routingRules.filter(({ inputInterface }) => inputInterface === "lo").map(({ family, mark, mask }) => ({
      family,
      mark,
      mask,
    })),
    [{ family: "ipv4", mark: 0x70, mask: 0x70 }, { family: "ipv6", mark: 0x70, mask: 0x70 }],
  );
  assert.ok(
    routingRules.filter(({ inputInterface }) => inputInterface !== "lo").every(({ mark }) => mark === 0x30),
  );
});

Deno.test("planInstall() refuses a mark that leaves no bit for the proxy's sockets", () => {
  assert.throws(() => planInstall(configWith({ routerTraffic: true }, { mark: 0x20000000 }), ROUTER), {
    usage: true,
    message: /0x1 to 0x1fffffff: three bits/,
  });
  planInstall(configWith({ routerTraffic: true }, { mark: 0x10000000 }), ROUTER);
});

Deno.test("planInstall() looks at all that programs send, and lets most of it go soon", () => {
  const added = plan();
  const chain = compileTable(added).chains.find(({ name }) => name === "router")!;
  assert.equal(renderHook(chain.hook!), "type route hook output priority mangle - 10; policy accept;");
  assert.deepEqual(rulesOf(added, "router"), [
    "meta mark != 0x0 return",
    'oifname "lo" return',
    'oifname "br-lan" return',
    "tcp flags syn / fin,syn,rst,ack ct state new meta skuid != 4294967295 goto router_new",
    "meta l4proto tcp ct direction original ct mark & 0x3 == 0x3 meta mark set meta mark | 0x3 accept",
    "meta l4proto udp ct state new meta skuid != 4294967295 goto router_new",
    "meta l4proto udp ct direction original ct mark & 0x3 == 0x3 goto router_direct",
  ]);
});

Deno.test("planInstall() spares what goes to clients, but not through an interface with a default route", () => {
  const of = (interfaces: string[]) => plan({ interfaces });
  assert.ok(rulesOf(of(["br-lan", "eth0"]), "router").includes('oifname "br-lan" return'));
  assert.doesNotMatch(rulesOf(of(["eth0"]), "router").join("\n"), /oifname (?!"lo")/);
  // Questions to its services come through that interface too.
  assert.match(rulesOf(of(["eth0"]), "router_served")[0], /^iifname != "lo" meta nfproto ipv4 /);
  assert.match(rulesOf(of(["br-lan"]), "router_served")[0], /^iifname != "br-lan" iifname != "lo" /);
  const view = { ...ROUTER, links: [...ROUTER.links, { name: "guest", loopback: false }] };
  const two = planInstall(configWith({ routerTraffic: true }), view);
  assert.ok(rulesOf(two, "router").includes("oifname @inner return"));
  assert.deepEqual(compileTable(two).sets.find(({ name }) => name === "inner")!.elements, [
    "br-lan",
    "guest",
  ]);
});

Deno.test("planInstall() decides on the router's own by the rules that can match it", () => {
  const added = plan({}, {
    ...rules(`
      { ports: [81], action: bypass }, { ports: [82], action: block }, { ports: [83], action: block, silent: true },
      { ports: [84], protocol: tcp, action: deliver, deliver-port: 3129 }, { in: [br-lan], action: block },
      { mac: ["02:00:5e:10:00:01"], action: block }, { to: [192.0.2.0/24], action: direct }`),
    default: "block",
  });
  const spared = rulesOf(plan(), "router_new").length - 1;
  assert.deepEqual(rulesOf(added, "router_new").slice(spared), [
    "th dport @rule0_ports accept",
    "th dport @rule1_ports goto router_block",
    "th dport @rule2_ports drop",
    "meta l4proto tcp th dport @rule3_ports accept",
    "meta nfproto ipv4 ip daddr @rule6_to_ipv4 goto router_direct",
    "goto router_block",
  ]);
});

for (
  const [onFailure, direct, loopback] of [
    ["open", [], ["tcp flags syn / fin,syn,rst,ack drop", "meta l4proto udp drop"]],
    ["reset", [
      "tcp flags syn / fin,syn,rst,ack reject with tcp reset",
      "meta l4proto udp reject with icmpx port-unreachable",
    ], [
      "tcp flags syn / fin,syn,rst,ack reject with tcp reset",
      "meta l4proto udp reject with icmpx port-unreachable",
    ]],
    ["drop", ["tcp flags syn / fin,syn,rst,ack drop", "meta l4proto udp drop"], [
      "tcp flags syn / fin,syn,rst,ack drop",
      "meta l4proto udp drop",
    ]],
  ] as const
) {
  Deno.test(`planInstall() does with the router's own what on-failure ${onFailure} wants`, () => {
    const added = plan({ onFailure });
    assert.deepEqual(rulesOf(added, "router_direct"), [
      "meta nfproto @running ct mark set ct mark | 0x3 meta mark set meta mark | 0x3 accept",
      ...direct,
    ]);
    assert.deepEqual(rulesOf(added, "router_loopback").slice(-2), loopback);
  });
}

Deno.test("planInstall() with one family and one protocol leaves the router's others alone", () => {
  const added = plan({ families: ["ipv6"], protocols: ["tcp"] });
  const chains = compileTable(added).chains.filter(({ name }) => name.startsWith("router"));
  assert.doesNotMatch(chains.flatMap(({ name }) => rulesOf(added, name)).join("\n"), /udp|ipv4 (?!return)/);
  for (const chain of ["router", "router_loopback"]) {
    assert.ok(rulesOf(added, chain).includes("meta nfproto ipv4 return"));
  }
});

Deno.test("compileIptables() refuses the router's own traffic", () => {
  const config = configWith({ routerTraffic: true });
  assert.throws(() => compileIptables(planInstall(config, ROUTER)), {
    usage: true,
    message: /router-traffic.*kernel\.backend to netlink/,
  });
});
