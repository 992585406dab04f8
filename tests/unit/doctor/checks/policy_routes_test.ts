import assert from "node:assert/strict";
import { judgePolicyRoutes } from "../../../../src/doctor/checks/policy_routes.ts";
import type { RoutingRule } from "../../../../src/netlink/route/rule.ts";
import { FORWARD_PATH, situationWith, troubles } from "../support/machine.ts";
import { routingOf, rule } from "../support/routing.ts";

Deno.test("judgePolicyRoutes() finds what goes by a client's interface or mark, taken early", () => {
  const judge = (one: RoutingRule) => troubles(judgePolicyRoutes(routingOf(one), situationWith()));
  const found = ["warning policy-routes"];
  assert.deepEqual(judge(rule({ mark: 0, mask: 0, iifname: "br-lan" })), found);
  assert.deepEqual(judge(rule({ mark: 0, mask: 0, iifname: "tun0" })), []);
  assert.deepEqual(judge(rule({ mark: 0x100, mask: 0x3f00 })), found, "mwan3");
  assert.deepEqual(judge(rule({ mark: 0xca6c, inverted: true })), [], "the proxy's come under it too");
  assert.deepEqual(judge(rule()), [], "our mark");
  assert.deepEqual(judge(rule({ mark: 0x100, mask: 0x3f00, table: 300 })), [], "an empty table");
  assert.deepEqual(judge(rule({ mark: 0, mask: 0 })), [], "for everybody");
});

Deno.test("judgePolicyRoutes() says that the proxy follows them in the forward path", () => {
  const [finding] = judgePolicyRoutes(
    routingOf(rule({ mark: 0x100, mask: 0x3f00 })),
    situationWith({ admission: FORWARD_PATH }),
  );
  assert.deepEqual([finding.state, finding.cause], ["works", "the proxy follows it"]);
  assert.match(finding.what, /fwmark 0x100\/0x3f00/);
});
