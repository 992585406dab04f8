/** Fates of held segments, whatever way they come. */
import assert from "node:assert/strict";
import { ENDS, GOES_ON, type Judge } from "../../../../src/dataplane/watching/judge.ts";
import type { Segment } from "../../../../src/dataplane/watching/segment.ts";
import { HEAD_BYTES } from "../../../../src/dataplane/watching/streams.ts";
import type { Way } from "../../../../src/dataplane/watching/way.ts";
import { Watcher } from "../../../../src/dataplane/watching/watcher.ts";
import { makeSegment } from "./support.ts";

const text = (words: string) => new TextEncoder().encode(words);

/** A head is a line; it ends where it says "no". */
class LineJudge implements Judge {
  readonly heads: string[] = [];

  judge(bytes: Uint8Array, length: number, _segment: Segment, isWhole: boolean): number {
    const head = new TextDecoder().decode(bytes.subarray(0, length));
    this.heads.push(head);
    if (!head.includes("\n") && !isWhole) return length + 1;
    return head.includes("no") ? ENDS : GOES_ON;
  }
}

/** Writes down what is sent. */
class FakeWay implements Way {
  readonly sent: string[] = [];
  answer = 0;

  readonly #note = (what: string) => (segment: Segment, next?: number) => {
    this.sent.push(next === undefined ? `${what} ${segment.sequence}` : `${what} ${next}`);
    return this.answer;
  };
  /** Nothing is sent. */
  drop = () => 0;
  pass = this.#note("pass");
  release = this.#note("release");
  refuse = this.#note("refuse");
  resetServer = this.#note("reset");
}

function makeWatcher() {
  const judge = new LineJudge();
  const resender = new FakeWay();
  const watcher = new Watcher(judge);
  const say = (sequence: number, words: string, port = 5000) =>
    watcher.take(makeSegment({ sequence, data: text(words), port }), resender);
  const begin = (sequence: number, port = 5000) => watcher.begin(makeSegment({ sequence, syn: true, port }));
  return { judge, resender, watcher, say, begin };
}

Deno.test("Watcher releases a stream with the segment that completes its head", () => {
  const { resender, judge, say, begin } = makeWatcher();
  begin(99);
  assert.deepEqual([say(100, "he"), say(102, "llo\n"), say(106, "no\n")], ["passed", "released", "passed"]);
  assert.deepEqual(resender.sent, ["pass 100", "release 102", "release 106"]);
  assert.deepEqual(judge.heads, ["he", "hello\n"]);
});

Deno.test("Watcher ends a stream on both sides, and all that still comes of it", () => {
  const { resender, say, begin } = makeWatcher();
  begin(99);
  assert.deepEqual([say(100, "n"), say(101, "o\n"), say(103, "more"), say(100, "n")], [
    "passed",
    "refused",
    "refused",
    "refused",
  ]);
  assert.deepEqual(resender.sent, ["pass 100", "reset 101", "refuse 101", "refuse 103", "refuse 100"]);
});

Deno.test("Watcher leaves what comes too early to be repeated, and passes what comes again", () => {
  const { resender, judge, say, begin } = makeWatcher();
  begin(0xfffffffd); // numbers wrap around
  assert.deepEqual([
    say(1, "o\n"),
    say(0xfffffffe, "n"),
    say(0xfffffffe, "n"),
    say(0xffffffff, "ic"),
    say(0xffffffff, "icono\n"),
  ], [
    "dropped",
    "passed",
    "passed",
    "passed",
    "refused",
  ]);
  assert.deepEqual(judge.heads, ["n", "nic", "nicono\n"]);
  assert.equal(resender.sent[3], "reset 1");
});

Deno.test("Watcher takes the first segment for the begin where it has not seen the SYN", () => {
  const { judge, say } = makeWatcher();
  assert.equal(say(5000, "yes\n"), "released");
  assert.deepEqual(judge.heads, ["yes\n"]);
});

Deno.test("Watcher begins anew when a port is used again", () => {
  const { say, begin } = makeWatcher();
  begin(99);
  assert.equal(say(100, "no\n"), "refused");
  begin(4999);
  assert.equal(say(5000, "yes\n"), "released");
});

Deno.test("Watcher forgets nothing for a SYN that comes again", () => {
  const { judge, say, begin } = makeWatcher();
  begin(99);
  assert.equal(say(100, "n"), "passed");
  begin(99);
  assert.equal(say(101, "o\n"), "refused");
  assert.deepEqual(judge.heads, ["n", "no\n"]);
});

Deno.test("Watcher passes a probe that keeps a connection alive before its client has spoken", () => {
  const { judge, say, begin } = makeWatcher();
  begin(99);
  assert.equal(say(99, "\0"), "passed");
  assert.deepEqual(judge.heads, []);
});

Deno.test("Watcher keeps no more of a head than it has room for", () => {
  const { judge, say, begin } = makeWatcher();
  begin(99);
  assert.equal(say(100, "x".repeat(HEAD_BYTES - 1)), "passed");
  assert.equal(say(100 + HEAD_BYTES - 1, "y".repeat(70)), "released");
  assert.equal(judge.heads.at(-1)!.length, HEAD_BYTES);
});

Deno.test("Watcher releases a stream whose segment could not be sent when it comes again with more", () => {
  const { resender, watcher, say, begin } = makeWatcher();
  begin(99);
  resender.answer = -105;
  assert.equal(say(100, "yes\n"), "dropped");
  assert.equal(watcher.failure, -105);
  resender.answer = 0;
  assert.equal(say(100, "yes\n"), "passed");
  assert.equal(say(104, "more"), "released");
});

Deno.test("Watcher serves more streams than it can know: the oldest give way, and those of one client first", () => {
  const { say, begin } = makeWatcher();
  for (let port = 1; port < 10000; port++) begin(99, port);
  for (let port = 9000; port < 9600; port++) assert.equal(say(100, "n", port), "passed");
  assert.equal(say(101, "o\n", 9599), "refused");
});

Deno.test("Watcher goes on with the streams of another process", () => {
  const before = makeWatcher();
  before.begin(99, 1);
  before.say(100, "he", 1);
  before.begin(299, 2);
  before.say(300, "no\n", 2);
  before.say(400, "yes\n", 3);
  before.begin(499, 4);
  const { watcher, judge, say } = makeWatcher();
  watcher.inherit(before.watcher.give());
  assert.deepEqual(watcher.give(), before.watcher.give());
  // Something before it is missing: of the others it is known what has come.
  assert.deepEqual([say(502, "x\n", 4), say(102, "l no\n", 1), say(303, "more", 2), say(404, "more", 3)], [
    "dropped",
    "refused",
    "refused",
    "passed",
  ]);
  assert.deepEqual(judge.heads, ["hel no\n"]);
});
