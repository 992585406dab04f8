import assert from "node:assert/strict";
import { COUNTER, COUNTERS, SharedState } from "../../../../src/dataplane/shared/state.ts";

Deno.test("SharedState is one memory for all that look at its buffer", () => {
  const main = new SharedState(3);
  const worker = new SharedState(main.buffer);
  assert.equal(worker.addLive(2), 2);
  assert.equal(main.addLive(-1), 1);
  assert.equal(main.live, 1);
  assert.equal(worker.addPendingLogs(5), 5);
  assert.equal(main.addPendingLogs(-5), 0);
  assert.equal(main.live, 1);
});

Deno.test("SharedState.sums() adds the rows of all workers, which do not touch each other", () => {
  const shared = new SharedState(3);
  for (let worker = 0; worker < 3; worker++) {
    const row = shared.row(worker);
    assert.equal(row.length, COUNTERS.length);
    assert.equal((row.byteOffset - shared.row(0).byteOffset) % 64, 0, "rows share a cache line");
    for (const name of COUNTERS) row[COUNTER[name]] = 10 ** worker * (COUNTER[name] + 1);
  }
  const totals = shared.sums();
  for (const name of COUNTERS) assert.equal(totals[name], 111 * (COUNTER[name] + 1), name);
  assert.equal(shared.live, 0);
});

Deno.test("SharedState.takeLongestTurn() tells the longest turn of a worker, once", () => {
  const main = new SharedState(2);
  const [one, two] = [new SharedState(main.buffer, 0), new SharedState(main.buffer, 1)];
  for (const ms of [0.5, 12.25, 3]) one.noteTurn(ms);
  two.noteTurn(1e9); // the machine has slept
  assert.deepEqual([main.takeLongestTurn(0), main.takeLongestTurn(1)], [12.25, 0x7fffffff / 1000]);
  one.noteTurn(2);
  assert.deepEqual([main.takeLongestTurn(0), main.takeLongestTurn(0), main.takeLongestTurn(1)], [2, 0, 0]);
});

Deno.test("SharedState.forgetLive() takes what one worker had from the live ones, and nothing else", () => {
  const main = new SharedState(2);
  const [one, two] = [new SharedState(main.buffer, 0), new SharedState(main.buffer, 1)];
  one.addLive(3);
  two.addLive(4);
  two.addLive(-1);
  one.addUdpLive(5);
  two.addUdpLive(6);
  main.forgetLive(0);
  assert.deepEqual([main.live, main.udpLive], [3, 6]);
  main.forgetLive(0);
  assert.deepEqual([main.live, main.udpLive], [3, 6], "it has nothing any more");
});
