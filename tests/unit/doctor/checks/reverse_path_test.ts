import assert from "node:assert/strict";
import { judgeReversePath, type ReversePathFacts } from "../../../../src/doctor/checks/reverse_path.ts";
import type { RoutingRule } from "../../../../src/netlink/route/rule.ts";
import { ROUTER } from "../../kernel/support/view.ts";
import { processOf, situationWith, troubles } from "../support/machine.ts";
import { routingOf, rule } from "../support/routing.ts";

function facts(validMark: string, filter: readonly [all: string, eth0: string]): ReversePathFacts {
  const setting = (name: string, value: string) => ({ name: `net.ipv4.conf.${name}`, value, setBy: [] });
  return {
    validMark: [setting("all.src_valid_mark", validMark), setting("eth0.src_valid_mark", "0")],
    filter: [setting("all.rp_filter", filter[0]), setting("eth0.rp_filter", filter[1])],
  };
}

Deno.test("judgeReversePath(): src_valid_mark blocks where a rule without iif leads to local delivery", () => {
  const judge = (value: string, rules: RoutingRule[]) =>
    judgeReversePath(
      facts(value, ["0", "0"]),
      routingOf(...rules),
      situationWith({ processes: [processOf("tailscaled")] }),
    );
  const plain = rule({ table: 100 });
  const bad = judge("1", [plain]);
  assert.deepEqual(troubles(bad), ["! warning src-valid-mark"]);
  assert.match(bad[0].cause, /fwmark 0x1 lookup 100", which has no iif.*perhaps set by tailscaled/);
  assert.match(bad[0].remedy, /ip rule del priority 1000/);
  const narrow = rule({ priority: 7, table: 100, ipProtocol: 17 });
  assert.deepEqual(troubles(judge("1", [narrow])), ["warning src-valid-mark"]);
  assert.match(judge("1", [narrow])[0].cause, /drops the marked packets that come under it/);
  assert.match(judge("1", [narrow, plain])[0].cause, /fwmark 0x1 lookup 100".* drops every marked packet/);
  assert.deepEqual(troubles(judge("0", [plain])), []);
  assert.deepEqual(troubles(judge("1", [])), []);
  assert.match(judge("1", [])[0].cause, /^harmless, the rules of an install name interfaces/);
  assert.deepEqual(troubles(judge("1", [rule({ table: 100, iifname: "br-lan" })])), []);
  assert.deepEqual(troubles(judge("1", [rule({ table: 7 })])), []);
  assert.deepEqual(troubles(judge("1", [rule({ table: 100, mark: 2 })])), []);
});

Deno.test("judgeReversePath(): strict rp_filter is minded with several ways out only, by the higher of two values", () => {
  const judge = (filter: readonly [string, string], defaultRouteLinks = ["eth0", "wwan0"]) =>
    judgeReversePath(
      facts("0", filter),
      routingOf(),
      situationWith({ network: { ...ROUTER, defaultRouteLinks } }),
    );
  assert.deepEqual(troubles(judge(["0", "1"])), ["warning rp-filter"]);
  assert.deepEqual(troubles(judge(["1", "0"])), ["warning rp-filter"]);
  assert.match(judge(["1", "0"])[1].remedy, /^sysctl -w net\.ipv4\.conf\.all\.rp_filter=2/);
  assert.deepEqual(troubles(judge(["2", "1"])), [], "2 is higher");
  assert.deepEqual(troubles(judge(["1", "2"])), [], "2 is higher");
  assert.deepEqual(troubles(judge(["0", "0"])), []);
  assert.deepEqual(troubles(judge(["1", "1"], ["eth0"])), []);
});
