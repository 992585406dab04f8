import assert from "node:assert/strict";
import { parseConfig } from "../../../../src/config/load.ts";
import { policy } from "../../../../src/doctor/checks/policy.ts";
import { situationWith, troubles } from "../support/machine.ts";

Deno.test("policy: what check warns of, doctor says too", () => {
  const config = parseConfig(
    "rules: [{ action: block, domains: [a.example] }, { action: bypass, domains: [a.example] }]",
    "f",
  );
  const [finding, ...more] = policy.judge(undefined, situationWith({ config }));
  assert.deepEqual(troubles([finding]), ["warning policy"]);
  assert.match(finding.cause, /^rules\[1\] \(rule 2\) never matches: /);
  assert.deepEqual(more, []);
  assert.deepEqual(policy.judge(undefined, situationWith({ config: parseConfig("{}", "f") })), []);
});
