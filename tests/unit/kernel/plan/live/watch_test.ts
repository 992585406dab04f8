import assert from "node:assert/strict";
import { parseConfig } from "../../../../../src/config/load.ts";
import { compileLive, compileTable } from "../../../../../src/kernel/nft/chains.ts";
import { renderHook } from "../../../../../src/kernel/nft/render.ts";
import { renderRule } from "../../../../../src/kernel/nft/rule_text.ts";
import type { CompiledTable } from "../../../../../src/kernel/nft/model.ts";
import { planLive } from "../../../../../src/kernel/plan/live/live_plan.ts";
import { LIVE_OPTIONS } from "../../../../../src/kernel/plan/live/options.ts";
import { planInstall } from "../../../../../src/kernel/plan/plan.ts";
import { ROUTER } from "../../support/view.ts";

const NAMED = "rules: [{ name: no, domains: [a.example], action: block }]\ndefault: bypass";
const ONE = `intercept: { families: [ipv4] }\n${NAMED}`;
const FLOW = "ip saddr . th sport . ip daddr . th dport";

function plan(yaml: string, watching = true, watchingUdp = false) {
  return planInstall(parseConfig(yaml, "f"), ROUTER, { watching, watchingUdp });
}

function live(yaml: string, options: Partial<typeof LIVE_OPTIONS> = {}, watchingUdp = false): CompiledTable {
  return compileLive(planLive(plan(yaml, true, watchingUdp).intent.scope, { ...LIVE_OPTIONS, ...options }));
}

function chain({ chains }: CompiledTable, name: string): string[] | undefined {
  return chains.find((chain) => chain.name === name)?.rules.map(({ statements }) => renderRule(statements));
}

Deno.test("planLive() watches: one chain for what is forwarded, which released flows leave at once", () => {
  const table = live(ONE, { workers: 2 });
  const hooks = table.chains.flatMap(({ name, hook }) => hook ? [`${name}: ${renderHook(hook)}`] : []);
  assert.ok(hooks.includes("hold: type filter hook prerouting priority -101; policy accept;"), `${hooks}`);
  assert.deepEqual(chain(table, "asks")!.slice(1, 4), [
    `meta nfproto ipv4 meta l4proto udp ${FLOW} @known_ipv4 tproxy ip to 127.0.0.1:50080 ct zone set 50080 ` +
    "meta mark set meta mark & 0xfffffffb accept",
    `meta mark & 0x6 == 0x6 meta nfproto ipv4 meta l4proto tcp update @watching_ipv4 { ${FLOW} } ` +
    "meta mark set meta mark & 0xfffffff9 accept",
    "meta mark & 0x6 == 0x6 drop",
  ]);
  assert.deepEqual(chain(table, "begun"), [
    "ct label set 120",
    "ct label ! 120 goto reused",
    "meta l4proto tcp tcp option 34 exists reset tcp option 34",
    "meta l4proto tcp tcp option 254 exists reset tcp option 254",
    'th sport & 30 0-14 log prefix "b" group 54176 queue-threshold 1 accept',
    'th sport & 30 16-30 log prefix "b" group 54177 queue-threshold 1 accept',
  ]);
  assert.deepEqual(chain(table, "hold"), [
    "tcp flags syn / fin,syn,rst,ack goto watch_begin",
    "ct direction original ct label 121 return",
    "ct direction original ct label 120 goto watched",
  ]);
  assert.deepEqual(chain(table, "watch_begin"), [
    `meta nfproto ipv4 ${FLOW} @watching_ipv4 goto asked`,
    "ct state established,related ct label 120 goto begun",
  ]);
  assert.deepEqual(chain(table, "asked"), [
    "ct direction original ct label ! 121 goto begun",
    "ct state established,related goto reused",
  ]);
  assert.deepEqual(chain(table, "reused"), [
    'th sport & 30 0-14 log prefix "r" group 54176 queue-threshold 1 drop',
    'th sport & 30 16-30 log prefix "r" group 54177 queue-threshold 1 drop',
  ]);
  // With these each new flow of a router that translates nothing would pay for NAT.
  const upright = live(`${NAMED}\nintercept: { protocols: [tcp] }`);
  assert.ok(upright.chains.every(({ hook }) => hook?.type !== "nat"));
  assert.deepEqual(chain(table, "watched"), [
    "@ih,0,8 >= 0x0 goto held_back",
  ]);
  assert.deepEqual(chain(table, "held_back")!.slice(2), [
    'ct status dnat th sport & 30 16-30 log prefix "d" group 54177 queue-threshold 1 drop',
    'th sport & 30 0-14 log prefix "h" group 54176 queue-threshold 1 drop',
    'th sport & 30 16-30 log prefix "h" group 54177 queue-threshold 1 drop',
  ]);
  const unpin = "meta mark set meta mark & 0xfffffff7 accept";
  assert.deepEqual(chain(table, "unpinned"), [
    `meta priority 7473:0 ${unpin}`,
    `meta priority 7474:0 ${unpin}`,
  ]);
  assert.equal(chain(live(ONE, { holding: "queue" }), "unpinned"), undefined);
  assert.deepEqual(chain(table, "sent")!.slice(0, 3), [
    "meta priority 7474:0 ct label set 121",
    "meta priority 7475:0 meta l4proto tcp reject with tcp reset",
    "tcp flags != syn / fin,syn,rst,ack return",
  ]);
});

Deno.test("planLive() holds in queues where the kernel has them, and copies first packets all the same", () => {
  const table = live(ONE, { workers: 2, holding: "queue" });
  assert.deepEqual(chain(table, "held_back")!.slice(-2), [
    "th sport & 30 0-14 queue flags bypass to 54176",
    "th sport & 30 16-30 queue flags bypass to 54177",
  ]);
  assert.match(chain(table, "begun")!.at(-1)!, /log prefix "b" group 54177/);
});

Deno.test("planLive() goes on to hold while it drains, and begins to watch nothing", () => {
  const table = live(ONE, { accepting: false });
  assert.deepEqual([chain(table, "asked"), chain(table, "watch_begin")], [
    undefined,
    ["ct state established,related ct label 120 goto begun"],
  ]);
  assert.ok(!table.sets.some(({ name }) => name === "watching_ipv4"));
});

Deno.test("planInstall() lets the proxy have what nobody can watch here", () => {
  const rules = (yaml: string, watching?: boolean) =>
    plan(yaml, watching).intent.scope.rules.map(({ outcome }) => outcome.kind);
  assert.deepEqual(rules(ONE), ["watch"]);
  assert.deepEqual(rules(ONE, false), ["proxy"]);
  assert.deepEqual(rules(`intercept: { admission: early }\n${NAMED}`), ["proxy"]);
  const match = 'mac: ["02:00:00:00:00:01"]';
  assert.deepEqual(
    rules(`rules: [{ name: no, domains: [a.example], ${match}, action: block }]\ndefault: bypass`),
    [
      "proxy",
    ],
  );
});

Deno.test("planInstall() has connections watched, and datagrams relayed where conntrack cannot be told", () => {
  const table = compileTable(plan(ONE));
  assert.deepEqual(chain(table, "watch")!.slice(1), [
    "tcp flags syn / fin,syn,rst,ack meta mark set meta mark | 0x6 accept",
    "meta l4proto udp meta mark set meta mark | 0x4 accept",
  ]);
  assert.deepEqual(chain(table, "unanswered"), [
    "meta mark & 0x6 == 0x6 meta mark set meta mark & 0xfffffff9 accept",
    "meta mark & 0x4 == 0x4 meta mark set meta mark & 0xfffffffb accept",
  ]);
});

Deno.test("planInstall() has datagrams watched, and lets those of released flows go without a proxy", () => {
  const asks = "meta mark & 0x6 == 0x6";
  const table = compileTable(plan(ONE, true, true));
  assert.equal(chain(table, "watch")!.at(-1), "meta l4proto udp meta mark set meta mark | 0x6 accept");
  assert.equal(chain(table, "unwatched"), undefined);
  assert.equal(chain(table, "unanswered")![0], `${asks} meta mark set meta mark & 0xfffffff9 accept`);
  const strict = compileTable(plan(ONE.replace("{ ", "{ on-failure: drop, "), true, true));
  assert.deepEqual(chain(strict, "unanswered")!.slice(0, 2), [
    `${asks} meta l4proto udp return`,
    `${asks} drop`,
  ]);
  assert.deepEqual(chain(strict, "unwatched"), [
    `${asks} ct label 121 meta mark set meta mark & 0xfffffff9 accept`,
    `${asks} drop`,
  ]);
});

Deno.test("planLive() holds datagrams at the end of the forward path, but for flows that are released", () => {
  const table = live(ONE, { workers: 2 }, true);
  const original =
    "ct original ip saddr . ct original proto-src . ct original ip daddr . ct original proto-dst";
  assert.deepEqual(chain(table, "ask")!.slice(2, 5), [
    "meta l4proto udp ct label 121 return",
    `meta nfproto ipv4 meta l4proto udp ${original} @watching_ipv4 goto datagrams`,
    `ct state untracked meta nfproto ipv4 meta l4proto udp ${FLOW} @watching_ipv4 goto datagrams_untracked`,
  ]);
  assert.match(chain(table, "asks")![1], /meta l4proto { tcp, udp } update @watching_ipv4/);
  assert.deepEqual(chain(table, "datagrams")!.slice(-2), [
    'meta l4proto udp ct original proto-src & 30 0-14 log prefix "p" group 58272 queue-threshold 1 drop',
    'meta l4proto udp ct original proto-src & 30 16-30 log prefix "p" group 58273 queue-threshold 1 drop',
  ]);
  assert.match(
    chain(table, "datagrams_ipv4")![0],
    /log prefix "t" .*@nh,96,32 set ct original ip saddr .* meta mark set ct mark log prefix "o"/,
  );
  assert.equal(chain(live(ONE), "datagrams"), undefined);
});
