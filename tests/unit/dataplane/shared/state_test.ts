import assert from "node:assert/strict";
import {
  COUNTER,
  COUNTERS,
  PHASE_DRAIN,
  PHASE_RUN,
  SharedState,
} from "../../../../src/dataplane/shared/state.ts";

Deno.test("SharedState is one memory for all that look at its buffer", () => {
  const main = new SharedState(3);
  const worker = new SharedState(main.buffer);
  assert.equal(worker.phase, PHASE_RUN);
  main.phase = PHASE_DRAIN;
  assert.equal(worker.phase, PHASE_DRAIN);
  assert.equal(worker.addLive(2), 2);
  assert.equal(main.addLive(-1), 1);
  assert.equal(main.live, 1);
  assert.equal(worker.addPendingLogs(5), 5);
  assert.equal(main.addPendingLogs(-5), 0);
  assert.equal(main.live, 1);
});

Deno.test("SharedState.totals() adds the rows of all workers, which do not touch each other", () => {
  const shared = new SharedState(3);
  for (let worker = 0; worker < 3; worker++) {
    const row = shared.row(worker);
    assert.equal(row.length, COUNTERS.length);
    assert.equal((row.byteOffset - shared.row(0).byteOffset) % 64, 0, "rows share a cache line");
    for (const name of COUNTERS) row[COUNTER[name]] = 10 ** worker * (COUNTER[name] + 1);
  }
  const totals = shared.totals();
  for (const name of COUNTERS) assert.equal(totals[name], 111 * (COUNTER[name] + 1), name);
  assert.equal(shared.live, 0);
  assert.equal(shared.phase, PHASE_RUN);
});

Deno.test("SharedState counts bytes beyond 32 bits", () => {
  const shared = new SharedState(1);
  const row = shared.row(0);
  row[COUNTER.bytesUp] = 2 ** 40;
  row[COUNTER.bytesUp] += 1;
  assert.equal(shared.totals().bytesUp, 2 ** 40 + 1);
});
