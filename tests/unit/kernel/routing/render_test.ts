import assert from "node:assert/strict";
import { renderRoutingRule } from "../../../../src/kernel/routing/render.ts";

Deno.test("renderRoutingRule() quotes a name for the shell", () => {
  const rule = { family: "ipv6", priority: 500, mark: 1, mask: 1, table: 100, protocol: 50 } as const;
  assert.equal(
    renderRoutingRule({ ...rule, inputInterface: "a'$(b)" }),
    `ip -6 rule add priority 500 fwmark 0x1/0x1 iif 'a'\\''$(b)' lookup 100 protocol 50`,
  );
});
