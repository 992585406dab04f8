import assert from "node:assert/strict";
import { parseConfig } from "../../../../../src/config/load.ts";
import { replaceTable } from "../../../../../src/kernel/nft/batch.ts";
import { compileTable } from "../../../../../src/kernel/nft/chains.ts";
import { planSteps } from "../../../../../src/kernel/nft/replacing/steps.ts";
import { asPlanned, inTurn } from "../../../../../src/kernel/nft/replacing/turns.ts";
import { compareTable } from "../../../../../src/kernel/nft/state/status.ts";
import { planInstall } from "../../../../../src/kernel/plan/plan.ts";
import { NftBatch } from "../../../../../src/netlink/nft/batch.ts";
import { installedBy } from "../../support/installed.ts";
import { ROUTER } from "../../support/view.ts";

const planOf = (text: string) =>
  planInstall(parseConfig(`{ intercept: { interfaces: [br-lan] }, ${text} }`, "f"), ROUTER, {
    admission: "forward-path",
  });
const FORMER = planOf("rules: [{ ports: [80, 82], action: block }]");
const NEXT = planOf("rules: [{ mac: [02:00:5e:10:00:01], ports: [80], action: block }]");
const installed = () => installedBy(replaceTable(compileTable(FORMER)));
const told = (batch: NftBatch) =>
  batch.commands.map(({ purpose: { operation, object } }) => `${operation} ${object}`);

Deno.test("planSteps(): what rules look into is there before they are, and what packets have filled stays", () => {
  const there = installed();
  const { sets, rules, undo } = planSteps(compileTable(NEXT), there, new NftBatch())!;
  assert.deepEqual(told(sets), ["add set rule0_ports_b", "add elements to set rule0_ports_b"]);
  assert.deepEqual(told(undo), ["delete set rule0_ports_b"]);
  const steps = told(rules);
  for (const gone of ["table transparent_proxy", "set answered_ipv4", "chain divert"]) {
    assert.ok(!steps.includes(`delete ${gone}`), gone);
  }
  for (
    const made of ["flush chain divert", "delete set rule0_ports", "add set rule0_mac", "add rule divert/1"]
  ) {
    assert.ok(steps.includes(made), `${made}: ${steps.join(", ")}`);
  }
  assert.ok(steps.indexOf("delete set rule0_ports") < steps.indexOf("add rule divert/1"));
});

Deno.test("planSteps() leaves to one step what needs no second, and what somebody else has changed", () => {
  const there = installed();
  const steps = (plan: typeof NEXT, table: typeof there) =>
    planSteps(compileTable(plan), table, new NftBatch());
  assert.equal(steps(planOf("default: bypass"), there), undefined);
  assert.equal(steps(NEXT, { ...there, table: { ...there.table, flags: ["dormant"] } }), undefined);
  const both = there.sets.flatMap((set) => [set, { ...set, name: `${set.name}_b` }]);
  assert.equal(steps(NEXT, { ...there, sets: both }), undefined);
});

Deno.test("asPlanned(): sets under their other names are those of the plan, unless both are there", () => {
  const table = compileTable(FORMER);
  const renamed = inTurn(table, new Set(["rule0_ports"]))!;
  const there = installedBy(replaceTable({ ...table, ...renamed }));
  assert.ok(there.sets.some(({ name }) => name === "rule0_ports_b"));
  const bad = (found: typeof there) => compareTable(FORMER, found).filter(({ state }) => state !== "present");
  assert.notDeepEqual(bad(there), []);
  assert.deepEqual(bad(asPlanned(there)), []);
  const left = there.sets.map((set) => ({ ...set, name: set.name.replace(/_b$/, "") }));
  assert.notDeepEqual(bad(asPlanned({ ...there, sets: [...there.sets, ...left] })), []);
});
