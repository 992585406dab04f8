import assert from "node:assert/strict";
import { allocateDialTimes, noteDialTime, sumDialTimes } from "../../../../src/dataplane/flows/dial_times.ts";
import { Ledger } from "../../../../src/dataplane/shared/ledger.ts";
import { allocateLedger } from "../../../../src/dataplane/shared/columns.ts";
import { TCP } from "../../../../src/dataplane/shared/session_key.ts";
import { Totals, WorkerTotals } from "../../../../src/dataplane/shared/totals.ts";
import { sockaddr } from "../support/addresses.ts";
import { testFlows } from "../support/test_ledger.ts";

Deno.test("noteDialTime() counts in the bucket of the least bound, sumDialTimes() sums all workers", () => {
  const memories = [allocateDialTimes(), allocateDialTimes()];
  const [one, two] = memories.map((memory) => new Float64Array(memory));
  for (const ms of [0, 1, 1.1, 10_000, 10_001]) noteDialTime(one, 0, ms);
  noteDialTime(two, 0, 5);
  noteDialTime(two, 1, 250);
  assert.deepEqual(sumDialTimes(memories), [
    { family: "ipv4", counts: [2, 1, 1, 0, 0, 0, 0, 0, 1, 1], sumMs: 20_008.1 },
    { family: "ipv6", counts: [0, 0, 0, 0, 0, 1, 0, 0, 0, 0], sumMs: 250 },
  ]);
});

Deno.test("a ledger notes the time until an upstream has answered, without an access log too", async () => {
  const flows = testFlows();
  const totals = new Totals({ generation: 1, rules: 0, upstreams: 0, workers: 1 });
  const ledger = new Ledger(allocateLedger(8), TCP, new WorkerTotals(0, totals.memory), flows);
  ledger.open(3, 1, sockaddr("[fd00::1]:1"), 0, 0);
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 20));
  ledger.answered(3);
  const passed = performance.now() - begun;
  const [, { counts, sumMs }] = sumDialTimes([flows.dials]);
  assert.equal(counts.reduce((sum, count) => sum + count), 1);
  assert.ok(sumMs >= 19 && sumMs <= passed + 2, `${sumMs} of ${passed} ms`);
});
