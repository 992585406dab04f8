import assert from "node:assert/strict";
import { judgeTrackedFlows } from "../../../../src/doctor/checks/tracked_flows.ts";
import { troubles } from "../support/machine.ts";

const judge = (count: string | undefined, max: string | undefined) =>
  judgeTrackedFlows({
    count: { name: "net.netfilter.nf_conntrack_count", value: count, setBy: [] },
    max: { name: "net.netfilter.nf_conntrack_max", value: max, setBy: [] },
  });

Deno.test("judgeTrackedFlows() says when the table is nearly full, and when it is full nothing works", () => {
  assert.deepEqual(troubles(judge("899", "1000")), []);
  assert.deepEqual(troubles(judge("900", "1000")), ["warning tracked-flows"]);
  const [full] = judge("1000", "1000");
  assert.deepEqual(troubles([full]), ["! warning tracked-flows"]);
  assert.equal(full.what, "conntrack: 1000 of 1000 flows (net.netfilter.nf_conntrack_max)");
  assert.match(full.remedy, /^sysctl -w net\.netfilter\.nf_conntrack_max=65536,/);
  assert.match(judge("262144", "262144")[0].remedy, /=524288,/);
});

Deno.test("judgeTrackedFlows() has nothing to say where nothing is tracked, or without a limit", () => {
  assert.deepEqual(troubles(judge(undefined, undefined)), []);
  assert.deepEqual(troubles(judge("7", "0")), []);
});
