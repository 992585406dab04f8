import assert from "node:assert/strict";
import { isEcho, planEchoes } from "../../../../src/kernel/routing/echoes.ts";
import { isOurRule, isPin } from "../../../../src/kernel/routing/ours.ts";
import type { RoutingRule } from "../../../../src/netlink/route/rule.ts";

const rule = (more: Partial<RoutingRule>): RoutingRule => ({
  family: "ipv4",
  priority: 30000,
  protocol: 0,
  mark: 0x30000,
  mask: 0xffffffff,
  table: 202,
  ...more,
});
const ECHO = rule({ mark: 0x70001, protocol: 50 });

Deno.test("planEchoes() repeats rules for whole marks, with our bits beside them", () => {
  assert.deepEqual(planEchoes([rule({})], 0x40001), [ECHO]);
  assert.deepEqual(planEchoes([rule({}), ECHO], 0x40001), [ECHO]);
  assert.deepEqual(planEchoes([ECHO], 0x40001), []);
});

Deno.test("planEchoes() leaves alone what finds the mark anyway, and what is not asked for a check", () => {
  const others: Partial<RoutingRule>[] = [
    { mask: 0xff0000 },
    { mark: 0, mask: 0 },
    { inverted: true },
    { iifname: "r0" },
    { family: "ipv6" },
    { priority: 400 },
    { mark: 0x70001 },
  ];
  for (const other of others) assert.deepEqual(planEchoes([rule(other)], 0x40001), [], JSON.stringify(other));
});

Deno.test("isEcho() knows them as ours, but for no pin, and no rule of others", () => {
  assert.ok(isEcho(ECHO) && isOurRule(ECHO) && !isPin(rule({ protocol: 50, oifname: "r3" })));
  for (const other of [rule({}), rule({ protocol: 50, mask: 1 }), rule({ protocol: 50, priority: 500 })]) {
    assert.ok(!isEcho(other));
  }
});
