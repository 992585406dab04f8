/**
 * The waiting room of answers: what is put in comes out once, and other answers bear any crowd.
 */
import assert from "node:assert/strict";
import { AF_INET } from "../../../../ffi/consts.ts";
import { Answer } from "../../../../src/dataplane/asking/answer.ts";
import {
  prepareWaitingRoom,
  WAITING_ROOM_WORDS,
  WaitingRoom,
} from "../../../../src/dataplane/shared/waiting_room.ts";

const CLIENT = 0;
const DESTINATION = 8;

function room(): { one: WaitingRoom; other: WaitingRoom } {
  const words = new Int32Array(new SharedArrayBuffer(WAITING_ROOM_WORDS * 4));
  prepareWaitingRoom(words);
  return { one: new WaitingRoom(words), other: new WaitingRoom(words) };
}

function flow(number: number, port = 443): Int32Array {
  const words = new Int32Array(16);
  words[CLIENT] = AF_INET | (40000 << 16);
  words[CLIENT + 1] = number;
  words[DESTINATION] = AF_INET | (port << 16);
  words[DESTINATION + 1] = 0x0100007f;
  return words;
}

function answer(mark: number): Answer {
  const made = new Answer();
  made.mark = mark;
  made.oif = 3;
  return made;
}

Deno.test("WaitingRoom.take() gives an answer to another thread, once", () => {
  const { one, other } = room();
  const taken = new Answer();
  assert.ok(other.isEmpty);
  assert.ok(one.put(flow(1), CLIENT, DESTINATION, answer(-7), 0));
  assert.ok(!other.isEmpty);
  assert.ok(!other.take(flow(2), CLIENT, DESTINATION, taken), "another client");
  assert.ok(!other.take(flow(1, 80), CLIENT, DESTINATION, taken), "another server");
  assert.ok(other.take(flow(1), CLIENT, DESTINATION, taken));
  assert.deepEqual([taken.mark, taken.oif], [-7, 3]);
  assert.ok(!one.take(flow(1), CLIENT, DESTINATION, taken), "it has been taken");
  assert.ok(one.isEmpty);
});

Deno.test("WaitingRoom.put() replaces the answer to the same flow", () => {
  const { one } = room();
  const taken = new Answer();
  one.put(flow(1), CLIENT, DESTINATION, answer(1), 0);
  one.put(flow(1), CLIENT, DESTINATION, answer(2), 0);
  assert.ok(one.take(flow(1), CLIENT, DESTINATION, taken));
  assert.equal(taken.mark, 2);
  assert.ok(!one.take(flow(1), CLIENT, DESTINATION, taken));
  assert.ok(one.isEmpty);
});

Deno.test("WaitingRoom.put() has room for the newest, however many nobody takes for a second", () => {
  const { one } = room();
  const taken = new Answer();
  for (let i = 0; i < 20_000; i++) {
    assert.ok(one.put(flow(i), CLIENT, DESTINATION, answer(i), i >> 6)); // 640 in a second
    assert.ok(i % 3 === 0 || one.take(flow(i), CLIENT, DESTINATION, taken));
    assert.ok(i % 3 === 0 || taken.mark === i);
  }
  let left = 0;
  for (let i = 0; i < 20_000; i++) if (one.take(flow(i), CLIENT, DESTINATION, taken)) left++;
  assert.ok(left > 2000 && left <= 4352, `${left} of the untaken are left`);
  assert.ok(one.isEmpty);
});

Deno.test("WaitingRoom.put() evicts no answer whose datagram may be on its way", () => {
  for (const start of [0, 0x7fffffff]) {
    const { one, other } = room();
    const taken = new Answer();
    const put: number[] = [];
    let refused = 0;
    for (let i = 0; i < 20_000; i++) {
      if (one.put(flow(i), CLIENT, DESTINATION, answer(i), start)) put.push(i);
      else refused++;
    }
    assert.ok(refused > 15_000, "a flood does not fit");
    assert.ok(one.put(flow(put[0]), CLIENT, DESTINATION, answer(put[0]), start), "the same flow, again");
    const later = (start + 10) | 0;
    assert.ok(one.put(flow(30_000), CLIENT, DESTINATION, answer(1), later), "a second later there is room");
    const missing = put.filter((i) => !other.take(flow(i), CLIENT, DESTINATION, taken) || taken.mark !== i);
    assert.equal(missing.length, 1, "the one that has made room");
  }
});

Deno.test("WaitingRoom uses little of its memory unless there is a crowd", () => {
  const words = new Int32Array(new SharedArrayBuffer(WAITING_ROOM_WORDS * 4));
  prepareWaitingRoom(words);
  words[0] = 1; // the seed: with one of some hundred that chance has, all places of one of the crowd are full
  const one = new WaitingRoom(words);
  const taken = new Answer();
  const used = () => words.findLastIndex((word) => word !== 0) * 4;
  for (let i = 0; i < 20_000; i++) {
    assert.ok(one.put(flow(i), CLIENT, DESTINATION, answer(i), 0));
    if (i >= 3) assert.ok(one.take(flow(i - 3), CLIENT, DESTINATION, taken));
  }
  assert.ok(used() < 50_000, `${used()} bytes`);
  for (let i = 0; i < 1000; i++) one.put(flow(-1 - i), CLIENT, DESTINATION, answer(i), 0);
  let found = 0;
  for (let i = 0; i < 1000; i++) if (one.take(flow(-1 - i), CLIENT, DESTINATION, taken)) found++;
  assert.equal(found, 1000, "a crowd has room");
});

Deno.test("WaitingRoom hands each answer to one of two threads alone", async () => {
  const buffer = new SharedArrayBuffer(WAITING_ROOM_WORDS * 4);
  const words = new Int32Array(buffer);
  prepareWaitingRoom(words);
  const url = new URL("./waiting_room_taker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<number[]>();
  worker.onmessage = ({ data }) => data === "started" ? started.resolve() : ended.resolve(data);
  worker.postMessage(buffer);
  await started.promise;
  const mine: number[] = [];
  const own = new WaitingRoom(words);
  const taken = new Answer();
  for (let i = 1; i <= 20_000; i++) {
    own.put(flow(i & 63), CLIENT, DESTINATION, answer(i), 0);
    if (own.take(flow((i * 7) & 63), CLIENT, DESTINATION, taken)) mine.push(taken.mark);
  }
  own.put(flow(9999), CLIENT, DESTINATION, answer(0), 0); // the end
  const others = await ended.promise;
  worker.terminate();
  const all = [...mine, ...others];
  assert.ok(others.length > 100, `the other thread has taken ${others.length}`);
  assert.equal(new Set(all).size, all.length, "no answer was taken twice");
});
