/** Findings on routing rules, routes and reverse-path checks. */
import assert from "node:assert/strict";
import { judgeMarkUsers, type MarkFacts } from "../../../../src/doctor/checks/mark_users.ts";
import { judgeReversePath, type ReversePathFacts } from "../../../../src/doctor/checks/reverse_path.ts";
import { overlaps } from "../../../../src/doctor/situation.ts";
import { parsePrefix } from "../../../../src/net/ip.ts";
import type { RoutingRule } from "../../../../src/netlink/route/rule.ts";
import { ROUTER } from "../../kernel/support/view.ts";
import { processOf, situationWith, troubles } from "../support/machine.ts";

function rule(more: Partial<RoutingRule> = {}): RoutingRule {
  return { family: "ipv4", priority: 1000, mark: 1, mask: 0xffffffff, table: 200, protocol: 3, ...more };
}

/** Table 100 is that of an install, table 200 leads elsewhere, others hold nothing. */
function marksOf(...rules: RoutingRule[]): MarkFacts {
  const tables = (["ipv4", "ipv6"] as const).flatMap((family) => [
    { family, table: 100, deliversLocally: true },
    { family, table: 200, deliversLocally: false },
  ]);
  return { rules, tables };
}

Deno.test("overlaps() knows which rules a packet with our bit can match", () => {
  const cases: [mark: number, mask: number, expected: boolean][] = [
    [1, 0xffffffff, true],
    [1, 1, true],
    [3, 3, true],
    [2, 3, false],
    [0x80000, 0xff0000, false], // Tailscale
    [0x100, 0x3f00, false], // mwan3
    [0, 0, false],
  ];
  for (const [mark, mask, expected] of cases) {
    assert.equal(overlaps({ mark, mask }, 1), expected, `${mark}/${mask}`);
  }
});

Deno.test("judgeMarkUsers() does not take a rule for some packets for one of all", () => {
  const narrow: Partial<RoutingRule>[] = [
    { from: parsePrefix("10.9.0.0/16")! },
    { dscp: { value: 46 } },
    { destinationPorts: { first: 53, last: 53 } },
    { ipProtocol: 17 },
    { suppressPrefixLength: 0 },
    { others: [{ type: 77, data: new Uint8Array(4) }] }, // of a newer kernel
  ];
  for (const more of narrow) {
    const [finding] = judgeMarkUsers(marksOf(rule({ priority: 99, ...more })), situationWith());
    assert.deepEqual(troubles([finding]), ["warning mark-users"], JSON.stringify(more));
    assert.match(
      finding.cause,
      /leads intercepted packets elsewhere, as far as they come under it; made with/,
    );
  }
  const [finding] = judgeMarkUsers(marksOf(rule({ ...narrow[5], priority: 99 })), situationWith());
  assert.match(finding.what, /"ipv4 priority 99: fwmark 0x1 attribute-77 lookup 200"/);
});

Deno.test("judgeMarkUsers() names rules of others with our mark, and blocks where they come first", () => {
  const judge = (...rules: RoutingRule[]) => judgeMarkUsers(marksOf(...rules), situationWith());
  assert.deepEqual(troubles(judge()), []);
  assert.deepEqual(troubles(judge(rule({ mark: 0x80000, mask: 0xff0000 }))), []);
  assert.deepEqual(troubles(judge(rule({ inverted: true, mark: 51820 }))), []);
  const later = judge(rule());
  assert.deepEqual(troubles(later), ["warning mark-users"]);
  assert.match(later[0].what, /"ipv4 priority 1000: fwmark 0x1 lookup 200"/);
  assert.match(later[0].cause, /made with ip\(8\), by hand or by a script/);
  assert.match(later[0].remedy, /kernel\.mark .*\(ip rule del priority 1000\)$/);
  assert.deepEqual(troubles(judge(rule({ priority: 99 }))), ["! warning mark-users"]);
  assert.deepEqual(troubles(judge(rule({ priority: 99, iifname: "br-lan" }))), ["! warning mark-users"]);
  assert.deepEqual(troubles(judge(rule({ priority: 99, iifname: "tun0" }))), ["warning mark-users"]);
  assert.deepEqual(troubles(judge(rule({ priority: 99, table: 100 }))), ["warning mark-users"]);
  assert.deepEqual(
    troubles(judge(rule({ priority: 99, table: 300 }))),
    ["warning mark-users"],
    "it is empty",
  );
  assert.deepEqual(troubles(judge(rule({ priority: 99, action: 8, table: 0 }))), ["! warning mark-users"]);
  assert.deepEqual(troubles(judge(rule({ priority: 99, action: 2, goto: 600 }))), ["! warning mark-users"]);
  assert.deepEqual(troubles(judge(rule({ priority: 99, action: 2, goto: 200 }))), ["warning mark-users"]);
  const ipv6 = rule({ family: "ipv6" });
  assert.match(judge(ipv6)[0].remedy, /ip -6 rule del priority 1000/);
  assert.deepEqual(troubles(judgeMarkUsers(marksOf(ipv6), situationWith({ families: ["ipv4"] }))), []);
});

Deno.test("judgeMarkUsers() names routes of others in our table", () => {
  const judge = (deliversLocally: boolean) =>
    judgeMarkUsers(
      marksOf(),
      situationWith({
        view: {
          ...ROUTER,
          foreignRoutes: [{ family: "ipv6", destination: "default", protocol: 12, deliversLocally }],
        },
      }),
    );
  assert.deepEqual(troubles(judge(false)), ["! warning table-users"]);
  assert.match(judge(false).at(-1)!.cause, /made by BIRD/);
  assert.match(judge(false).at(-1)!.remedy, /ip -6 route show table 100/);
  assert.deepEqual(troubles(judge(true)), ["warning table-users"]);
});

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
      marksOf(...rules),
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
      marksOf(),
      situationWith({ view: { ...ROUTER, defaultRouteLinks } }),
    );
  assert.deepEqual(troubles(judge(["0", "1"])), ["warning rp-filter"]);
  assert.deepEqual(troubles(judge(["1", "0"])), ["warning rp-filter"]);
  assert.match(judge(["1", "0"])[1].remedy, /^sysctl -w net\.ipv4\.conf\.all\.rp_filter=2/);
  assert.deepEqual(troubles(judge(["2", "1"])), [], "2 is higher");
  assert.deepEqual(troubles(judge(["1", "2"])), [], "2 is higher");
  assert.deepEqual(troubles(judge(["0", "0"])), []);
  assert.deepEqual(troubles(judge(["1", "1"], ["eth0"])), []);
});
