import assert from "node:assert/strict";
import { EPOLLIN } from "../../../../ffi/consts.ts";
import { drainEventFd, openEventFd, signalEventFd } from "../../../../ffi/epoll.ts";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { Loop } from "../../../../src/dataplane/loop/loop.ts";
import type { Service } from "../../../../src/dataplane/loop/service.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";

/** A service of one eventfd that writes down what it is told. */
class Recorder implements Service {
  readonly fd = openEventFd();
  wait = -1;
  waitsFor = 0;
  readonly #loop: Loop;
  readonly #name: string;
  readonly #told: string[];
  readonly #key: number;
  readonly #tag: number;

  constructor(loop: Loop, name: string, options: { told: string[]; key?: number; tag?: number }) {
    this.#loop = loop;
    this.#name = name;
    this.#told = options.told;
    this.#key = options.key ?? 0;
    this.#tag = options.tag ?? 0;
    loop.add(this);
  }

  start(): number {
    return this.fd < 0 ? this.fd : this.#loop.watch(this, this.fd, EPOLLIN, this.#key, this.#tag);
  }
  event(key: number, tag: number, bits: number): void {
    drainEventFd(this.fd);
    this.#told.push(`${this.#name} event ${key} ${tag} ${bits}`);
  }
  turn(): void {
    this.#told.push(`${this.#name} turn`);
  }
  timeout(): number {
    return this.wait;
  }
  drain(): void {
    this.#told.push(`${this.#name} drain`);
  }
  idle(): boolean {
    return this.waitsFor === 0;
  }
  close(): void {
    closeFd(this.fd);
    this.#told.push(`${this.#name} close`);
  }
}

descriptorTest(
  "Loop gives each service its own events, with its key and tag whole, and then a turn to all",
  () => {
    const loop = new Loop();
    const told: string[] = [];
    new Recorder(loop, "a", { told, key: 5, tag: 7 });
    const others = Array.from({ length: 14 }, (_, i) => new Recorder(loop, `other ${i}`, { told: [] }));
    const last = new Recorder(loop, "z", { told, key: 0x0fffffff, tag: 0xffffffff });
    assert.equal(loop.start(), 0);
    signalEventFd(last.fd);
    assert.equal(loop.turn(), 1);
    assert.deepEqual(told, [`z event ${0x0fffffff} ${0xffffffff} 1`, "a turn", "z turn"]);
    assert.throws(() => loop.add(others[0]), RangeError);
    told.length = 0;
    loop.close();
    assert.deepEqual(told, ["a close", "z close"]);
  },
);

descriptorTest("Loop sleeps no longer than any service may, and no longer than it is told", () => {
  const loop = new Loop();
  const [one, two] = ["one", "two"].map((name) => new Recorder(loop, name, { told: [] }));
  assert.equal(loop.start(), 0);
  assert.equal(loop.timeout(), -1);
  one.wait = 40;
  assert.equal(loop.timeout(), 40);
  two.wait = 20;
  assert.equal(loop.timeout(), 20);
  const start = performance.now();
  assert.equal(loop.turn(), 0);
  const slept = performance.now() - start;
  assert.ok(slept >= 19 && slept < 1000, `${slept} ms`);
  one.wait = two.wait = -1;
  assert.equal(loop.turn(10), 0);
  loop.close();
});

descriptorTest("Loop.drain() tells each service once, and the loop is idle when all are", () => {
  const loop = new Loop();
  const told: string[] = [];
  const one = new Recorder(loop, "one", { told });
  new Recorder(loop, "two", { told });
  assert.equal(loop.start(), 0);
  one.waitsFor = 1;
  loop.drain();
  loop.drain();
  assert.deepEqual(told, ["one drain", "two drain"]);
  assert.equal(loop.idle(), false);
  one.waitsFor = 0;
  assert.equal(loop.idle(), true);
  loop.close();
});

descriptorTest("Loop.start() returns what a service has failed with", () => {
  const loop = new Loop();
  const failing = new Recorder(loop, "failing", { told: [] });
  closeFd(failing.fd);
  assert.ok(loop.start() < 0);
  failing.close = () => {};
  loop.close();
});
