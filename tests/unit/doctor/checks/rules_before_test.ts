import assert from "node:assert/strict";
import { judgeRulesBefore } from "../../../../src/doctor/checks/rules_before.ts";
import type { RoutingRule } from "../../../../src/netlink/route/rule.ts";
import { situationWith, troubles } from "../support/machine.ts";
import { installedWith, routingOf, rule } from "../support/routing.ts";

/** Asks for no mark. */
const all = (more: Partial<RoutingRule> = {}) => rule({ mark: 0, mask: 0, priority: 99, ...more });
const BLOCKS = ["! warning rules-before"];

Deno.test("judgeRulesBefore() finds what others lead elsewhere before an install", () => {
  const judge = (...rules: RoutingRule[]) =>
    troubles(judgeRulesBefore(installedWith(...rules), situationWith({ families: ["ipv4"] })));
  assert.deepEqual(judge(), []);
  assert.deepEqual(judge(all()), BLOCKS);
  assert.deepEqual(judge(all({ priority: 600 })), [], "behind");
  assert.deepEqual(judge(all({ priority: 0 })), [], "the kernel's");
  assert.deepEqual(judge(all({ family: "ipv6" })), [], "not intercepted");
  assert.deepEqual(judge(all({ iifname: "tun0" })), [], "others' packets");
  assert.deepEqual(judge(all({ iifname: "br-lan" })), BLOCKS);
  assert.deepEqual(judge(all({ table: 300 })), [], "empty");
  assert.deepEqual(judge(all({ table: 100 })), [], "delivers");
  assert.deepEqual(judge(all({ suppressPrefixLength: 0 })), ["warning rules-before"]);
  assert.deepEqual(judge(all({ ipProtocol: 17 })), ["warning rules-before"], "some");
  // As wg-quick has it: not fwmark 0xca6c.
  assert.deepEqual(judge(rule({ priority: 99, inverted: true, mark: 0xca6c })), BLOCKS);
  assert.deepEqual(judge(rule({ priority: 99 })), [], "that has a finding as a user of the mark");
  assert.deepEqual(judge(rule({ priority: 99, mark: 0x80000, mask: 0xff0000 })), [], "another mark");
});

Deno.test("judgeRulesBefore() says that an install goes before them, where it can", () => {
  const judge = (...rules: RoutingRule[]) =>
    judgeRulesBefore(routingOf(...rules), situationWith({ families: ["ipv4"] }));
  const [early] = judge(all());
  assert.deepEqual([early.state, early.cause], ["works", "an install goes before it"]);
  const [first] = judge(all({ priority: 1 }));
  assert.deepEqual(troubles([first]), BLOCKS);
  assert.match(first.remedy, /a higher priority than 1/);
});
