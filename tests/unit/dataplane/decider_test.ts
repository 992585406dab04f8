import assert from "node:assert/strict";
import { DEFAULT_CONFIG } from "../../../src/config/defaults.ts";
import type { Config, RuleConfig } from "../../../src/config/types.ts";
import { policyOf } from "../../../src/dataplane/context.ts";
import { Decider } from "../../../src/dataplane/decider.ts";
import { DIRECT } from "../../../src/dataplane/upstream/table.ts";
import { UNDECIDED } from "../../../src/dataplane/shared/totals.ts";
import { parsePrefix } from "../../../src/net/ip.ts";
import { compilePolicy } from "../../../src/policy/compile.ts";
import { PROTOCOL_NUMBERS } from "../../../src/policy/flow.ts";
import { DEFAULT_RULE } from "../../../src/policy/policy.ts";
import { sockaddr } from "./support/addresses.ts";
import { SessionBench } from "./support/session_bench.ts";
import { forwardConfig } from "./upstream/upstream_config.ts";

const { tcp, udp } = PROTOCOL_NUMBERS;
const [lan4, lan6] = ["10.0.0.0/24", "fd00::/64"].map((text) => parsePrefix(text)!);

/** A decider with these rules, and what asks it about a flow. */
function deciderOf(bench: SessionBench, rules: readonly RuleConfig[], config: Partial<Config> = {}) {
  bench.context.policy = policyOf(compilePolicy({ ...DEFAULT_CONFIG, ...config, rules }, 1));
  const decider = new Decider(bench.context);
  const ask = (protocol: number, client: string, destination: string) =>
    decider.decide(protocol, new Int32Array([...sockaddr(client), ...sockaddr(destination)]), 0, 8);
  return { decider, ask };
}

Deno.test("Decider.decide() asks by protocol, addresses and port, out of struct sockaddr", () => {
  using bench = new SessionBench();
  const { ask } = deciderOf(bench, [
    { name: "a", from: [lan4], ports: [{ first: 443, last: 443 }], protocol: "tcp", action: "block" },
    { name: "b", from: [lan6], to: [parsePrefix("2001:db8::/32")!], action: "direct" },
    { name: "c", to: [parsePrefix("192.0.2.7/32")!], protocol: "udp", action: "block" },
  ]);
  assert.equal(ask(tcp, "10.0.0.9:1000", "192.0.2.1:443"), 0);
  assert.equal(ask(tcp, "10.0.0.9:443", "192.0.2.1:444"), DEFAULT_RULE);
  assert.equal(ask(udp, "10.0.0.9:1000", "192.0.2.1:443"), DEFAULT_RULE);
  assert.equal(ask(tcp, "10.0.1.9:1000", "192.0.2.1:443"), DEFAULT_RULE);
  assert.equal(ask(tcp, "[fd00::5]:1000", "[2001:db8:ffff::1]:443"), 1);
  assert.equal(ask(tcp, "[fd00:0:0:1::5]:1000", "[2001:db8:ffff::1]:443"), DEFAULT_RULE);
  assert.equal(ask(udp, "10.9.9.9:1000", "192.0.2.7:53"), 2);
});

Deno.test("Decider leaves to the kernel what only the kernel can tell, and what nobody asks", () => {
  using bench = new SessionBench();
  const { decider, ask } = deciderOf(bench, [{ name: "a", interfaces: ["br-lan"], action: "block" }]);
  assert.equal(ask(tcp, "10.0.0.9:1000", "192.0.2.1:443"), UNDECIDED);
  assert.equal(decider.blocking(UNDECIDED), null);
  const { ask: askNobody } = deciderOf(bench, []);
  assert.equal(bench.context.policy, null, "no rules, no cost");
  assert.equal(askNobody(tcp, "10.0.0.9:1000", "192.0.2.1:443"), UNDECIDED);
});

Deno.test("Decider.route() is the way of a flow that goes to upstreams", () => {
  using bench = new SessionBench();
  const { decider, ask } = deciderOf(bench, [
    { name: "home", ports: [{ first: 1, last: 1 }], action: "proxy", upstream: "home" },
    { name: "open", ports: [{ first: 2, last: 2 }], action: "direct" },
    { name: "shut", ports: [{ first: 3, last: 3 }], action: "block" },
  ], { upstreams: { home: forwardConfig() } });
  const routes = [1, 2, 3, 4].map((port) => {
    const rule = ask(tcp, "10.0.0.9:1000", `192.0.2.1:${port}`);
    return [rule, decider.route(rule), decider.blocking(rule)?.name];
  });
  const home = bench.context.policy!.ways.findIndex(({ action }) => action === "proxy") + 1;
  assert.deepEqual(routes, [
    [0, home, undefined],
    [1, DIRECT, undefined],
    [2, DIRECT, "shut"],
    [DEFAULT_RULE, DIRECT, undefined],
  ]);
  assert.equal(decider.route(UNDECIDED), DIRECT);
});

Deno.test("Decider.blocking() is the route of a rule that blocks, default too", () => {
  using bench = new SessionBench();
  const { decider } = deciderOf(bench, [
    { name: "loud", action: "block" },
    { name: "mute", action: "block", silent: true },
    { name: "open", action: "direct" },
  ], { default: "block" });
  assert.deepEqual([0, 1, 2, DEFAULT_RULE].map((rule) => decider.blocking(rule)?.silent), [
    false,
    true,
    undefined,
    false,
  ]);
});
