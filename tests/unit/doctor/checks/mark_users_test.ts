import assert from "node:assert/strict";
import { judgeMarkUsers } from "../../../../src/doctor/checks/mark_users.ts";
import { parsePrefix } from "../../../../src/net/ip.ts";
import type { RoutingFacts } from "../../../../src/doctor/machine/routing.ts";
import type { RoutingRule } from "../../../../src/netlink/route/rule.ts";
import { configWith } from "../../kernel/support/view.ts";
import { situationWith, troubles } from "../support/machine.ts";
import { installedWith, ourRule, routingOf, rule } from "../support/routing.ts";

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
    const [finding] = judgeMarkUsers(installedWith(rule({ priority: 99, ...more })), situationWith());
    assert.deepEqual(troubles([finding]), ["warning mark-users"], JSON.stringify(more));
    assert.match(
      finding.cause,
      /leads intercepted packets elsewhere, as far as they come under it; made with/,
    );
  }
  const [finding] = judgeMarkUsers(installedWith(rule({ ...narrow[5], priority: 99 })), situationWith());
  assert.match(finding.what, /"ipv4 priority 99: fwmark 0x1 attribute-77 lookup 200"/);
});

Deno.test("judgeMarkUsers() names rules of others with our mark, and blocks where they come first", () => {
  const judge = (...rules: RoutingRule[]) => judgeMarkUsers(installedWith(...rules), situationWith());
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
  assert.deepEqual(troubles(judgeMarkUsers(routingOf(ipv6), situationWith({ families: ["ipv4"] }))), []);
});

Deno.test("judgeMarkUsers() knows where an install puts its rules: before all of others, if it can", () => {
  const blocks = (facts: RoutingFacts) => judgeMarkUsers(facts, situationWith())[0].blocks;
  assert.equal(blocks(routingOf(rule({ priority: 99 }))), false, "98");
  assert.equal(blocks(routingOf(rule({ priority: 1 }))), true, "1, behind it");
  assert.equal(blocks({ ...routingOf(rule({ priority: 99 })), ours: [ourRule({ priority: 98 })] }), false);
  assert.equal(blocks({ ...routingOf(rule({ priority: 97 })), ours: [ourRule({ priority: 98 })] }), true);
  assert.equal(blocks({ ...routingOf(rule({ priority: 1 })), ours: [ourRule({ priority: 1 })] }), true);
  // What a running proxy pins comes before that.
  const pin = ourRule({ priority: 90, oifname: "eth0" });
  assert.equal(blocks({ ...routingOf(rule({ priority: 99 })), ours: [pin, ourRule()] }), true);
});

Deno.test("judgeMarkUsers() goes by the bits that routing rules ask for in the forward path", () => {
  const judge = (rules: RoutingRule[], mark = 1) =>
    troubles(judgeMarkUsers(
      installedWith(...rules),
      situationWith({
        admission: { inForce: "forward-path", reason: "" },
        config: configWith({ admission: "forward-path" }, { mark }),
      }),
    ));
  assert.deepEqual(judge([rule({ priority: 99 })]), [], "a whole mark of 1 is none of ours");
  assert.deepEqual(judge([rule({ priority: 99, mask: 1 })]), ["! warning mark-users"]);
  assert.deepEqual(judge([rule({ priority: 99, mark: 0x40000000, mask: 0x40000000 })]), [
    "! warning mark-users",
  ]);
  assert.deepEqual(
    judge([rule({ priority: 99, mark: 2, mask: 2 })]),
    ["! warning mark-users"],
    "first packets",
  );
  assert.deepEqual(judge([rule({ priority: 99, mark: 4, mask: 4 })]), []);
  assert.deepEqual(judge([rule({ priority: 99, mark: 0x10 })], 0x10), ["! warning mark-users"], "chosen");
});
