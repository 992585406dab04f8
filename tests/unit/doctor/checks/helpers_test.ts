import assert from "node:assert/strict";
import { judgeHelpers } from "../../../../src/doctor/checks/helpers.ts";
import { AttributeWriter } from "../../../../src/netlink/attribute.ts";
import { inputInterface } from "../../../../src/netlink/nft/phrases.ts";
import { type ChainText, firewallsWith, type Rule, target } from "../support/firewall.ts";
import { FORWARD_PATH, situationWith, troubles } from "../support/machine.ts";

/** `ct helper set "ftp"`: a reference to an object of that type. */
function reference(type: number): Rule {
  return [{ kind: "unknown", name: "objref", data: new AttributeWriter().u32be(1, type).finish() }];
}
const HELPER = reference(3);
/** xt_ct_target_info with a helper's name, and without. */
const CT = (helper: string) => [
  target("CT", [...new Uint8Array(12), ...new TextEncoder().encode(helper.padEnd(16, "\0"))]),
];
const FOUND = ["warning helpers"];

const judge = (rule: Rule, more: Partial<ChainText> = {}) =>
  troubles(judgeHelpers(firewallsWith({ hook: "prerouting", rules: [rule], ...more }), situationWith()));

Deno.test("judgeHelpers() finds rules that give clients' flows to a helper", () => {
  assert.deepEqual(judge(HELPER), FOUND);
  assert.deepEqual(judge(CT("ftp")), FOUND);
  assert.deepEqual(judge(HELPER, { hook: "forward" }), FOUND);
  assert.deepEqual(judge(CT("")), [], "-j CT --notrack");
  assert.deepEqual(judge(reference(1)), [], "a counter");
});

Deno.test("judgeHelpers() passes over rules for others, and says that such flows are forwarded", () => {
  assert.deepEqual(judge([...inputInterface("eth0"), ...HELPER]), []);
  assert.deepEqual(judge(HELPER, { hook: "output" }), []);
  const facts = firewallsWith({ hook: "prerouting", rules: [HELPER] });
  const [finding] = judgeHelpers(facts, situationWith({ admission: FORWARD_PATH }));
  assert.deepEqual([finding.state, finding.cause], ["works", "such flows are forwarded"]);
});
