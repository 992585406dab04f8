import assert from "node:assert/strict";
import { judgeRouting } from "../../../../src/kernel/routing/simplicity.ts";
import type { RoutingRule } from "../../../../src/netlink/route/rule.ts";

const rule = (more: Partial<RoutingRule>): RoutingRule => ({
  family: "ipv4",
  priority: 1000,
  protocol: 0,
  mark: 0,
  mask: 0,
  table: 202,
  ...more,
});
const KERNEL = [[0, 255], [32766, 254], [32767, 253]].map(([priority, table]) => rule({ priority, table }));
const OURS = [
  rule({ priority: 500, protocol: 50, mark: 1, mask: 1, iifname: "r0", table: 100 }),
  rule({ priority: 219, protocol: 50, mark: 8, mask: 8, oifname: "r3" }),
];

Deno.test("judgeRouting() finds the kernel's rules and ours simple, and those of others not", () => {
  assert.deepEqual(judgeRouting([...KERNEL, ...OURS], []), { simple: true, byPort: false });
  assert.deepEqual(judgeRouting([...KERNEL, rule({ iifname: "r0" })], []), { simple: false, byPort: false });
  assert.ok(!judgeRouting([rule({ priority: 32766, table: 254, mark: 4, mask: 4 })], []).simple);
  const ports = rule({ destinationPorts: { first: 443, last: 443 } });
  assert.deepEqual(judgeRouting([...KERNEL, ports], []), { simple: false, byPort: true });
});

Deno.test("judgeRouting() finds several ways beside each other not simple", () => {
  const hop = (outLinkIndex: number) => ({ outLinkIndex, weight: 1 });
  const route = { family: "ipv4", table: 254, type: "unicast", protocol: 3, scope: 0 } as const;
  const judge = (count: number) =>
    judgeRouting(KERNEL, [{ ...route, nextHops: Array.from({ length: count }, (_, i) => hop(i + 1)) }]);
  assert.ok(judge(1).simple);
  assert.deepEqual(judge(2), { simple: false, byPort: true });
});
