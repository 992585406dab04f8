/** Two generations in one table, without a kernel: which of them holds, and what is left of a trial. */
import assert from "node:assert/strict";
import type { ObjectStatus } from "../../../../../src/kernel/backend/object_status.ts";
import { replaceTable } from "../../../../../src/kernel/nft/batch.ts";
import { compileTable } from "../../../../../src/kernel/nft/chains.ts";
import type { InstalledTable } from "../../../../../src/kernel/nft/state/state.ts";
import { compareTable } from "../../../../../src/kernel/nft/state/status.ts";
import { beginTrial, endTrial } from "../../../../../src/kernel/nft/trial/batches.ts";
import { TRIAL_SET } from "../../../../../src/kernel/nft/trial/generations.ts";
import { tableInForce } from "../../../../../src/kernel/nft/trial/in_force.ts";
import { planInstall } from "../../../../../src/kernel/plan/plan.ts";
import { parseConfig } from "../../../../../src/config/load.ts";
import type { NftBatch } from "../../../../../src/netlink/nft/batch.ts";
import { installedBy } from "../../support/installed.ts";
import { ROUTER } from "../../support/view.ts";

const planOf = (text: string) =>
  planInstall(parseConfig(`{ intercept: { interfaces: [br-lan] }, ${text} }`, "f"), ROUTER, {
    admission: "forward-path",
  });
const FORMER = planOf('rules: [{ to: [10.0.0.0/8, "fc00::/7"], action: bypass }]');
const NEXT = planOf(
  "kernel: { mark: 0x10 }, default: block, rules: [{ mac: [02:00:5e:10:00:01], ports: [80, 82], action: direct }]",
);

const formerBatch = () => replaceTable(compileTable(FORMER));
const former = () => installedBy(formerBatch());
const trialBatch = (before?: InstalledTable) => beginTrial(compileTable(NEXT), before, 60_000);

/** Returns the table when the time is over: the gate's elements have gone. */
function over(table: InstalledTable): InstalledTable {
  const sets = table.sets.map((set) => set.name === TRIAL_SET ? { ...set, elements: [] } : set);
  return { ...table, sets };
}

function bad(objects: readonly ObjectStatus[]): string[] {
  return objects.filter(({ state }) => state !== "present").map(({ state, kind, name }) =>
    `${state} ${kind} ${name}`
  );
}

Deno.test("tableInForce(): the rules on trial, and when the time is over the former ones", () => {
  const table = installedBy(formerBatch(), trialBatch(former()));
  assert.deepEqual(bad(compareTable(NEXT, tableInForce(table))), []);
  assert.deepEqual(bad(compareTable(FORMER, tableInForce(over(table)))), []);
  assert.notDeepEqual(bad(compareTable(FORMER, tableInForce(table))), []);
  assert.notDeepEqual(bad(compareTable(NEXT, tableInForce(over(table)))), []);
});

Deno.test("tableInForce(): nothing after a trial over nothing", () => {
  const table = installedBy(trialBatch());
  assert.deepEqual(bad(compareTable(NEXT, tableInForce(table))), []);
  assert.equal(tableInForce(over(table)), undefined);
});

Deno.test("tableInForce() leaves a table without a trial as it is", () => {
  const table = former();
  assert.equal(tableInForce(table), table);
});

Deno.test("beginTrial() has every base chain of either generation begin with the gate", () => {
  const before = former();
  const { chains, rules } = installedBy(formerBatch(), trialBatch(before));
  const gates = chains.filter(({ base }) => base !== undefined).map(({ name }) => {
    const [first] = rules.filter(({ chain }) => chain === name);
    const [family, lookup, verdict] = first.expressions;
    assert.deepEqual([family.kind, lookup.kind, verdict.kind], ["meta", "lookup", "verdict"], name);
    assert.ok(lookup.kind === "lookup" && lookup.set === TRIAL_SET);
    return [name, lookup.inverted === true];
  });
  // Who is on trial returns while there is none, who was there before while there is one.
  assert.deepEqual(gates, gates.map(([name]) => [name, String(name).startsWith("trial_")]));
});

Deno.test("endTrial() takes away all that beginTrial() has added, and nothing else", () => {
  const before = former();
  const table = installedBy(formerBatch(), trialBatch(before));
  const ended = endTrial(table);
  const gates = table.rules.filter(({ chain, expressions }) =>
    !chain.startsWith("trial_") && expressions.some((one) => one.kind === "lookup" && one.set === TRIAL_SET)
  );
  const added = (names: readonly { readonly name: string }[]) =>
    names.map(({ name }) => name).filter((name) => name.startsWith("trial")).toSorted();
  assert.deepEqual(namesOf(ended, "delete chain"), added(table.chains));
  assert.deepEqual(namesOf(ended, "delete set"), added(table.sets));
  assert.deepEqual(
    namesOf(ended, "delete rule"),
    gates.map(({ chain, handle }) => `${chain} handle ${handle}`).toSorted(),
  );
});

Deno.test("endTrial() deletes a table that the trial has made", () => {
  const batch = endTrial(installedBy(trialBatch()));
  assert.deepEqual(batch.commands.map(({ purpose }) => purpose.operation), ["delete table"]);
});

function namesOf(batch: NftBatch, operation: string): string[] {
  return batch.commands.map(({ purpose }) => purpose).filter((purpose) => purpose.operation === operation)
    .map(({ object }) => object).toSorted();
}
