import assert from "node:assert/strict";
import { TICK_MS, ticks, TimerWheel, WheelEntry } from "../../../../src/dataplane/loop/wheel.ts";

class Timer extends WheelEntry {
  readonly name: number;
  /** Its real time, as its owner knows it. */
  due = 0;

  constructor(name: number) {
    super();
    this.name = name;
  }
}

/** A small generator of numbers below `bound`, the same in each run. */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * bound);
  };
}

Deno.test("ticks() rounds up, and is at least 1", () => {
  assert.deepEqual([0, 1, TICK_MS, TICK_MS + 1, 10 * TICK_MS].map(ticks), [1, 1, 1, 2, 10]);
});

Deno.test("TimerWheel gives what is due, once, and nothing sooner", () => {
  const wheel = new TimerWheel<Timer>(0);
  const timer = new Timer(1);
  wheel.schedule(timer, 5);
  const due: number[] = [];
  for (let now = 1; now <= 10; now++) wheel.advance(now, () => due.push(now));
  assert.deepEqual(due, [5]);
  assert.equal(wheel.size, 0);
  assert.equal(wheel.ticksToNext(), -1);
});

Deno.test("TimerWheel.schedule() moves an entry, and takes the past for the next tick", () => {
  const wheel = new TimerWheel<Timer>(100);
  const timer = new Timer(1);
  wheel.schedule(timer, 150);
  wheel.schedule(timer, 3);
  assert.equal(wheel.size, 1);
  assert.equal(wheel.ticksToNext(), 1);
  let count = 0;
  wheel.advance(101, () => count++);
  wheel.advance(200, () => count++);
  assert.equal(count, 1);
});

Deno.test("TimerWheel.remove() forgets an entry, wherever it is in its list", () => {
  for (const removed of [0, 1, 2]) {
    const wheel = new TimerWheel<Timer>(0);
    const timers = [0, 1, 2].map((name) => new Timer(name));
    for (const timer of timers) wheel.schedule(timer, 7);
    wheel.remove(timers[removed]);
    wheel.remove(timers[removed]);
    const due: number[] = [];
    wheel.advance(7, (timer) => due.push(timer.name));
    assert.deepEqual(due.sort(), [0, 1, 2].filter((name) => name !== removed));
  }
});

Deno.test("TimerWheel gives an entry far ahead before its time, for its owner to put back", () => {
  const wheel = new TimerWheel<Timer>(0);
  const timer = new Timer(1);
  wheel.schedule(timer, 5000);
  let visits = 0;
  let done = 0;
  for (let now = 1; now <= 6000 && done === 0; now++) {
    wheel.advance(now, () => {
      visits++;
      if (now < 5000) wheel.schedule(timer, 5000);
      else done = now;
    });
  }
  assert.equal(done, 5000);
  assert.ok(visits <= 6, `visited ${visits} times`);
});

Deno.test("TimerWheel misses nothing after a sleep of many turns", () => {
  const wheel = new TimerWheel<Timer>(0);
  const timers = Array.from({ length: 300 }, (_, name) => new Timer(name));
  timers.forEach((timer, i) => wheel.schedule(timer, 1 + i * 3));
  const due = new Set<number>();
  wheel.advance(50_000, (timer) => due.add(timer.name));
  assert.equal(due.size, 300);
  assert.equal(wheel.size, 0);
});

Deno.test("TimerWheel does what a list of timers does, over random schedules, removals and sleeps", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomNumbers(seed);
    const wheel = new TimerWheel<Timer>(0);
    const model = new Map<Timer, number>();
    const timers = Array.from({ length: 50 }, (_, name) => new Timer(name));
    let now = 0;
    for (let step = 0; step < 400; step++) {
      for (let i = random(6); i > 0; i--) {
        const timer = timers[random(timers.length)];
        if (random(4) === 0) {
          wheel.remove(timer);
          model.delete(timer);
        } else {
          timer.due = now + 1 + random(random(10) === 0 ? 5000 : 60);
          wheel.schedule(timer, timer.due);
          model.set(timer, timer.due);
        }
      }
      // The promise of the sleep: nothing is due before it is over.
      const sleep = wheel.ticksToNext();
      assert.equal(sleep < 0, model.size === 0);
      for (const due of model.values()) assert.ok(now + sleep <= due, "would sleep too long");
      now += random(5) === 0 ? random(3000) : random(20);
      const expected = [...model].filter(([, due]) => due <= now).map(([timer]) => timer.name).sort();
      const actual: number[] = [];
      wheel.advance(now, (timer) => {
        // As the sessions do: put back what is not due yet.
        if (timer.due > now) return wheel.schedule(timer, timer.due);
        actual.push(timer.name);
        model.delete(timer);
      });
      assert.deepEqual(actual.sort(), expected, `seed ${seed}, step ${step}, tick ${now}`);
      assert.equal(wheel.size, model.size);
    }
  }
});
