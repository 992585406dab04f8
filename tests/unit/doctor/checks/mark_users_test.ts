import assert from "node:assert/strict";
import { judgeMarkUsers } from "../../../../src/doctor/checks/mark_users.ts";
import type { RoutingRule } from "../../../../src/netlink/route/rule.ts";
import { situationWith, troubles } from "../support/machine.ts";
import { routingOf, rule } from "../support/routing.ts";

Deno.test("judgeMarkUsers() names rules of others with our mark, and blocks where they come first", () => {
  const judge = (...rules: RoutingRule[]) => judgeMarkUsers(routingOf(...rules), situationWith());
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
  const ipv6 = rule({ family: "ipv6" });
  assert.match(judge(ipv6)[0].remedy, /ip -6 rule del priority 1000/);
  assert.deepEqual(troubles(judgeMarkUsers(routingOf(ipv6), situationWith({ families: ["ipv4"] }))), []);
});
