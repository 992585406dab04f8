/** Checks: when they come, and what follows from them. The clock is the test's. */
import assert from "node:assert/strict";
import { DEFAULT_CONFIG } from "../../../../src/config/defaults.ts";
import { CheckPlan, type CheckResult } from "../../../../src/daemon/upstreams/check_plan.ts";
import { DOWN, REFUSED, UP } from "../../../../src/dataplane/upstream/health.ts";

const CHECK = { ...DEFAULT_CONFIG.checks, intervalMs: 10_000, rise: 2, fall: 3 };
const WORKS: CheckResult = { kind: "works" };
const FAILED: CheckResult = { kind: "failed", reason: "ECONNREFUSED" };
const REFUSAL: CheckResult = { kind: "refused", reason: "it does not know us" };

/** Plays an upstream's time; `chance` 0.5 is no jitter. */
class Play {
  now = 1_000_000;
  chance = 0.5;
  idleMs = 0;
  readonly plan = new CheckPlan(CHECK, { now: 1_000_000 });

  /** Waits for the next check, for an hour at most, and lets it end so. The seconds that it took to come. */
  next(result: CheckResult): number {
    const from = this.now;
    while (!this.plan.begins(this, this.idleMs)) {
      this.now += 100;
      if (this.now > from + 3_600_000) return Infinity;
    }
    this.plan.ended(result, this);
    return (this.now - from) / 1000;
  }

  become(state: number, result: CheckResult): void {
    for (let i = 0; this.plan.state !== state; i++) {
      assert.ok(i < 10);
      this.next(result);
    }
  }
}

Deno.test("Before the first check it counts as up; three faults in a row make it down, two successes up", () => {
  const play = new Play();
  assert.equal(play.plan.state, UP);
  const seen = [FAILED, FAILED, WORKS, FAILED, FAILED, FAILED, WORKS, FAILED, WORKS, WORKS].map((result) => {
    play.next(result);
    return play.plan.state;
  });
  assert.deepEqual(seen, [UP, UP, UP, UP, UP, DOWN, DOWN, DOWN, DOWN, UP]);
});

Deno.test("A check comes after the interval, up to a fifth earlier or later, and one at a time", () => {
  const play = new Play();
  play.next(WORKS);
  for (const [chance, seconds] of [[0, 8], [0.5, 10], [1, 12]]) {
    play.chance = chance;
    play.next(WORKS);
    assert.equal(play.next(WORKS), seconds);
  }
  play.now += 60_000;
  assert.ok(play.plan.begins(play, 0));
  play.now += 60_000;
  assert.ok(!play.plan.begins(play, 0), "the first is not over");
});

Deno.test("One that nobody has used for five minutes is not checked, unless it is down", () => {
  const play = new Play();
  play.idleMs = 300_001;
  assert.equal(play.next(WORKS), Infinity);
  play.idleMs = 300_000;
  assert.equal(play.next(FAILED), 0);
  play.become(DOWN, FAILED);
  play.idleMs = Infinity;
  assert.equal(play.next(WORKS), 10);
});

Deno.test("A flapper is held down for 10 s, 20 s, … 5 min; one that was steady is forgiven", () => {
  const play = new Play();
  play.become(DOWN, FAILED);
  const holds: number[] = [];
  for (let i = 0; i < 8; i++) {
    play.become(UP, WORKS);
    play.plan.found(DOWN, "connections", play);
    holds.push(play.next(WORKS));
  }
  assert.deepEqual(holds, [10, 20, 40, 80, 160, 300, 300, 300]);
  play.become(UP, WORKS);
  play.now += 301_000;
  play.plan.found(DOWN, "connections", play);
  assert.equal(play.next(WORKS), 10, "the interval");
});

Deno.test("A refusal is a state of its own at once, and ends as others do", () => {
  const play = new Play();
  play.next(REFUSAL);
  assert.equal(play.plan.state, REFUSED);
  const { since } = play.plan;
  assert.equal(play.next(REFUSAL), 10);
  assert.equal(play.plan.since, since);
  play.next(FAILED);
  assert.equal(play.plan.state, DOWN);
  play.next(REFUSAL);
  assert.equal(play.plan.state, REFUSED);
  play.next(WORKS);
  assert.equal(play.plan.state, REFUSED);
  play.next(WORKS);
  assert.deepEqual([play.plan.state, play.plan.reason], [UP, ""]);
});
