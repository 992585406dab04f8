import assert from "node:assert/strict";
import { judgeLegacyInput } from "../../../../src/doctor/checks/legacy_input.ts";
import { situationWith, troubles } from "../support/machine.ts";

Deno.test("judgeLegacyInput() is sure of a policy DROP only where there is no rule", () => {
  const judge = (policy: "accept" | "drop", hasRules: boolean) =>
    judgeLegacyInput([{ family: "ipv4", policy, hasRules }], situationWith());
  assert.deepEqual(troubles(judge("accept", true)), []);
  assert.deepEqual(troubles(judge("drop", true)), ["warning legacy-input"]);
  assert.deepEqual(troubles(judge("drop", false)), ["! warning legacy-input"]);
  assert.match(judge("drop", false)[0].remedy, /^iptables-legacy -I INPUT -m mark --mark 0x1\/0x1 -j ACCEPT/);
  const ipv6 = judgeLegacyInput(
    [{ family: "ipv6", policy: "drop", hasRules: false }],
    situationWith({ families: ["ipv4"] }),
  );
  assert.deepEqual(troubles(ipv6), []);
});
