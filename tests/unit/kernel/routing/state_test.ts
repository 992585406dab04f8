import assert from "node:assert/strict";
import { parsePrefix } from "../../../../src/net/ip.ts";
import { deliversLocally } from "../../../../src/kernel/routing/ours.ts";
import { ruleEntry, toRoute, toRoutingRule } from "../../../../src/kernel/routing/state.ts";

const RULE = toRoutingRule({
  family: "ipv4",
  priority: 500,
  mark: 1,
  mask: 1,
  inputInterface: "lan0",
  table: 100,
  protocol: 50,
});
const ROUTE = toRoute({ family: "ipv6", table: 100, protocol: 50, foreign: false });

Deno.test("ruleEntry() does not take a rule that asks for more for the one of an install", () => {
  const { label } = ruleEntry(RULE);
  assert.equal(label, "ipv4 rule 500: fwmark 0x1/0x1 iif lan0 lookup 100");
  const others = [
    { ...RULE, destinationPorts: { first: 53, last: 53 } },
    { ...RULE, dscp: { value: 46 } },
    { ...RULE, inverted: true },
    { ...RULE, suppressPrefixLength: 0 },
    { ...RULE, action: 8 },
    { ...RULE, others: [{ type: 77, data: new Uint8Array(4) }] },
  ].map((rule) => ruleEntry(rule).label);
  assert.equal(new Set([label, ...others]).size, others.length + 1);
});

Deno.test("deliversLocally() does not take a route for some packets for the one of an install", () => {
  assert.ok(deliversLocally(ROUTE));
  assert.ok(deliversLocally({ ...ROUTE, source: parsePrefix("::/0")! }));
  assert.ok(!deliversLocally({ ...ROUTE, tos: 0x10 }));
  assert.ok(!deliversLocally({ ...ROUTE, source: parsePrefix("2001:db8::/32")! }));
  assert.ok(!deliversLocally({ ...ROUTE, outLinkIndex: 2 }));
});
