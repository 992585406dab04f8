/** The relay of one direction, over real sockets: `source → from … to → target`. */
import assert from "node:assert/strict";
import { EAGAIN, ECONNRESET, EPIPE, MSG_OOB, SO_OOBINLINE, SOL_SOCKET } from "../../../../../ffi/consts.ts";
import { closeFd, sendWithFlags } from "../../../../../ffi/sockets/socket.ts";
import { setInt } from "../../../../../ffi/sockets/sockopt.ts";
import { PipePool } from "../../../../../src/dataplane/tcp/bytes/pipes.ts";
import { MORE, Relay, WAITING } from "../../../../../src/dataplane/tcp/bytes/relay.ts";
import { Direction } from "../../../../../src/dataplane/tcp/session.ts";
import { descriptorTest } from "../../../ffi/support/descriptors.ts";
import {
  assertSameBytes,
  bytes,
  drain,
  fill,
  finish,
  pattern,
  Reader,
  readText,
  reset,
  sendAll,
  tcpPair,
} from "../../../ffi/support/tcp.ts";

/** A direction between two connections whose far ends the test holds. */
class RelayBench implements Disposable {
  readonly source: number;
  readonly target: number;
  readonly from: number;
  readonly to: number;
  readonly counters = new Float64Array(new SharedArrayBuffer(8));
  readonly pipes: PipePool;
  readonly relay: Relay;
  readonly direction = new Direction(0);

  constructor(options: { pipes?: number; smallBuffers?: boolean; rounds?: number } = {}) {
    [this.source, this.from] = tcpPair();
    // The end that dials has the small send buffer.
    [this.to, this.target] = tcpPair(options);
    this.pipes = new PipePool(options.pipes ?? 2, 65536);
    this.relay = new Relay(this.pipes, this.counters, options.rounds);
    this.direction.reset(this.from, this.to);
    this.direction.opposite = new Direction(0);
    this.direction.writable = true;
  }

  /** An edge of the source, as epoll reports it, and the pump. */
  pump(edge: "readable" | "hungUp" | "writable" | "none" = "readable"): number {
    if (edge === "readable" || edge === "hungUp") this.direction.readable = true;
    if (edge === "hungUp") this.direction.hungUp = true;
    if (edge === "writable") this.direction.writable = true;
    return this.relay.pump(this.direction);
  }

  /**
   * Pumps, as if edges of both sides came all the time, until so much has arrived or it is over; what has
   * arrived.
   */
  pumpUntil(
    length: number,
  ): { data: Uint8Array<ArrayBuffer>; end: "open" | "end" | number; returned: number } {
    const reader = new Reader(this.target);
    const end = performance.now() + 3000;
    let returned = 0;
    while (
      returned >= 0 && !this.direction.finished && reader.data.length < length && performance.now() < end
    ) {
      this.direction.readable = this.direction.writable = true;
      returned = this.relay.pump(this.direction);
      reader.read();
    }
    if (returned >= 0) reader.readUntil(this.direction.finished ? Infinity : length);
    return { data: reader.data, end: reader.end, returned };
  }

  /** Brings the direction into bulk, with all that was sent passed on. */
  enterBulk(): void {
    sendAll(this.source, pattern(100_000));
    assert.equal(this.pumpUntil(100_000).data.length, 100_000);
    assert.equal(this.direction.bulk, true, "not in bulk");
    this.pump(); // nothing is left
    this.direction.smallReads = 0;
  }

  [Symbol.dispose](): void {
    this.relay.release(this.direction);
    this.pipes.clear();
    for (const fd of [this.source, this.target, this.from, this.to]) closeFd(fd);
  }
}

descriptorTest("Relay.pump() copies a small message and counts it", () => {
  using bench = new RelayBench();
  sendAll(bench.source, "hello");
  assert.equal(bench.pump(), WAITING);
  assert.deepEqual(readText(bench.target, 5), { text: "hello", end: "open" });
  assert.equal(bench.counters[0], 5);
  assert.equal(bench.direction.bulk, false);
  assert.equal(bench.direction.readable, false, "a short read has emptied the queue");
});

descriptorTest("Relay.pump() waits when nothing is there to read", () => {
  using bench = new RelayBench();
  assert.equal(bench.pump(), WAITING);
  assert.equal(bench.direction.readable, false);
  assert.equal(drain(bench.target).end, "open");
});

descriptorTest("Relay.pump() passes a half-close on, and only this way", () => {
  using bench = new RelayBench();
  finish(bench.source);
  bench.pump("hungUp");
  assert.equal(bench.direction.finished, true);
  assert.deepEqual(readText(bench.target), { text: "", end: "end" });
  sendAll(bench.target, "answer");
  assert.equal(readText(bench.to, 6).text, "answer");
  assert.equal(bench.pump("hungUp"), WAITING, "a finished direction has nothing to do");
});

descriptorTest("Relay.pump() passes data and the end that came with it", () => {
  using bench = new RelayBench();
  sendAll(bench.source, "last words");
  finish(bench.source);
  bench.pump("hungUp");
  assert.deepEqual(readText(bench.target), { text: "last words", end: "end" });
  assert.equal(bench.direction.finished, true);
});

descriptorTest("Relay.pump() keeps what the target does not take, reads no more, and goes on later", () => {
  using bench = new RelayBench({ smallBuffers: true, pipes: 0 });
  const sent = pattern(200_000);
  sendAll(bench.source, sent);
  assert.equal(bench.pump(), WAITING);
  assert.ok(bench.direction.buffer !== null && bench.direction.length > 0, "nothing was kept");
  assert.equal(bench.direction.writable, false);
  const counted = bench.counters[0];
  assert.equal(bench.pump(), WAITING);
  assert.equal(bench.counters[0], counted, "pumped without an edge of the target");
  assertSameBytes(bench.pumpUntil(sent.length).data, sent);
  assert.equal(bench.counters[0], sent.length);
  assert.equal(bench.direction.buffer, null);
});

descriptorTest("Relay.pump() splices bulk, whole and in order, through back-pressure", () => {
  using bench = new RelayBench({ smallBuffers: true });
  const sent = pattern(1_000_000);
  let offset = 0;
  let spliced = false;
  const reader = new Reader(bench.target);
  for (let turn = 0; reader.data.length < sent.length && turn < 100_000; turn++) {
    if (offset < sent.length) {
      const block = sent.slice(offset, offset + 50_000);
      const taken = sendWithFlags(bench.source, block, 0x4040);
      if (taken > 0) offset += taken;
      else assert.equal(taken, -EAGAIN);
    }
    assert.ok(bench.pump() >= 0);
    spliced ||= bench.direction.bulk;
    reader.read();
    bench.direction.writable = true;
  }
  assert.equal(spliced, true, "never in bulk");
  assertSameBytes(reader.data, sent);
  assert.equal(bench.counters[0], sent.length);
});

descriptorTest("Relay.pump() ends bulk with the half-close after the last byte", () => {
  using bench = new RelayBench({ smallBuffers: true });
  const sent = pattern(150_000);
  sendAll(bench.source, sent);
  finish(bench.source);
  bench.pump("hungUp");
  assert.equal(bench.direction.bulk, true);
  assert.ok(bench.direction.inPipe > 0, "nothing in the pipe");
  const { data, end } = bench.pumpUntil(Infinity);
  assertSameBytes(data, sent);
  assert.equal(end, "end");
  assert.equal(bench.direction.pipe, null);
});

descriptorTest("Relay.pump() leaves bulk after small reads", () => {
  using bench = new RelayBench();
  bench.enterBulk();
  for (let i = 0; i < 16; i++) {
    sendAll(bench.source, "tick");
    bench.pump();
  }
  assert.equal(bench.direction.bulk, false);
  assert.equal(bench.direction.pipe, null);
  assert.equal(readText(bench.target, 64).text, "tick".repeat(16));
});

descriptorTest("Relay.pump() stays in bulk when a big read comes in between", () => {
  using bench = new RelayBench();
  bench.enterBulk();
  for (let i = 0; i < 40; i++) {
    sendAll(bench.source, i % 10 === 9 ? pattern(40_000) : "tick");
    bench.pump();
    drain(bench.target);
  }
  assert.equal(bench.direction.bulk, true);
});

descriptorTest("Relay.pump() holds no pipe while bulk waits", () => {
  using bench = new RelayBench({ pipes: 1 });
  bench.enterBulk();
  assert.equal(bench.direction.pipe, null);
  const other = bench.pipes.take();
  assert.notEqual(other, null, "the only pipe is held");
  bench.pipes.give(other!, true);
});

descriptorTest("Relay.pump() copies bulk when there is no pipe", () => {
  using bench = new RelayBench({ pipes: 0 });
  const sent = pattern(300_000);
  sendAll(bench.source, sent);
  bench.pump();
  assert.equal(bench.direction.bulk, false);
  assertSameBytes(bench.pumpUntil(sent.length).data, sent);
});

descriptorTest("Relay.pump() goes back to copying when the last pipe is taken while it waits", () => {
  using bench = new RelayBench({ pipes: 1 });
  bench.enterBulk();
  const taken = bench.pipes.take()!;
  sendAll(bench.source, "copied");
  assert.equal(bench.pump(), WAITING);
  assert.equal(readText(bench.target, 6).text, "copied");
  assert.equal(bench.direction.bulk, false);
  bench.pipes.give(taken, true);
});

descriptorTest("Relay.pump() answers MORE when its turn is over, and goes on in the next", () => {
  // So few that what one turn moves fits into any socket's buffers.
  using bench = new RelayBench({ pipes: 0, rounds: 2 });
  fill(bench.source);
  assert.equal(bench.pump(), MORE);
  assert.equal(bench.counters[0], 2 * 16384, "moved more or less than a turn allows");
  assert.equal(bench.direction.readable, true);
  assert.ok(bench.pump("none") >= 0 && bench.counters[0] > 2 * 16384, "did not go on");
});

descriptorTest("Relay.pump() passes what came before a reset, then its error", () => {
  using bench = new RelayBench();
  sendAll(bench.source, "before");
  reset(bench.source);
  assert.equal(bench.pump("hungUp"), -ECONNRESET);
  assert.equal(bench.direction.failure, -ECONNRESET);
  assert.deepEqual(readText(bench.target, 6), { text: "before", end: "open" });
});

descriptorTest("Relay.pump() empties the pipe before it tells of a reset, and passes no clean end", () => {
  using bench = new RelayBench({ smallBuffers: true });
  bench.enterBulk();
  const filled = fill(bench.to);
  const sent = pattern(30_000);
  sendAll(bench.source, sent);
  assert.equal(bench.pump(), WAITING);
  assert.equal(bench.direction.inPipe, sent.length);
  reset(bench.source);
  assert.equal(bench.pump(), WAITING);
  bench.pump("hungUp");
  const { data, end, returned } = bench.pumpUntil(Infinity);
  const rest = new Reader(bench.target).readUntil(filled + sent.length - data.length);
  assertSameBytes(Uint8Array.from([...data, ...rest.data]).subarray(filled), sent);
  assert.deepEqual([end, rest.end], ["open", "open"]);
  assert.equal(returned, -ECONNRESET);
});

descriptorTest("Relay.pump() takes the end of a failed source for its failure", () => {
  for (const bulk of [false, true]) {
    using bench = new RelayBench();
    if (bulk) bench.enterBulk();
    reset(bench.source);
    // Somebody else has taken the error from the socket: reading ends as if the source had closed.
    drain(bench.from);
    bench.direction.failure = -ECONNRESET;
    const { returned, end } = bench.pumpUntil(Infinity);
    assert.equal(returned, -ECONNRESET);
    assert.equal(end, "open");
    assert.equal(bench.direction.finished, false);
  }
});

descriptorTest("Relay.pump() tells when the target takes no more", () => {
  using bench = new RelayBench();
  reset(bench.target);
  sendAll(bench.source, "a");
  assert.equal(bench.pump(), -ECONNRESET);
  assert.equal(bench.direction.failure, 0, "it was not the source");
  sendAll(bench.source, "b");
  assert.equal(bench.pump(), -EPIPE);
});

descriptorTest("Relay.pump() tells in bulk when the target takes no more", () => {
  using bench = new RelayBench();
  bench.enterBulk();
  reset(bench.target);
  sendAll(bench.source, "a");
  const returned = bench.pump();
  assert.ok(returned === -ECONNRESET || returned === -EPIPE, String(returned));
  assert.equal(bench.direction.failure, 0);
  assert.ok(bench.direction.inPipe > 0, "release() has to close this pipe");
  bench.relay.release(bench.direction);
});

descriptorTest("Relay.pump() gets beyond urgent data, copying or in bulk", () => {
  for (const bulk of [false, true]) {
    using bench = new RelayBench();
    assert.equal(setInt(bench.from, SOL_SOCKET, SO_OOBINLINE, 1), 0);
    if (bulk) bench.enterBulk();
    sendAll(bench.source, "before ");
    assert.equal(sendWithFlags(bench.source, bytes("!"), MSG_OOB), 1);
    sendAll(bench.source, " after");
    bench.direction.urgent = true;
    const { data } = bench.pumpUntil(14);
    assert.equal(new TextDecoder().decode(data), "before ! after");
  }
});

descriptorTest("Relay.pump() takes no urgent mark for the end of bulk", () => {
  using bench = new RelayBench();
  assert.equal(setInt(bench.from, SOL_SOCKET, SO_OOBINLINE, 1), 0);
  bench.enterBulk();
  sendAll(bench.source, "before ");
  assert.equal(sendWithFlags(bench.source, bytes("!"), MSG_OOB), 1);
  sendAll(bench.source, " after");
  finish(bench.source);
  // Mark and end have come after the event that this pump is for.
  bench.pump();
  const seen = new Reader(bench.target);
  seen.read();
  bench.direction.urgent = bench.direction.hungUp = bench.direction.readable = true;
  const { data, end } = bench.pumpUntil(Infinity);
  assert.equal(seen.text + new TextDecoder().decode(data), "before ! after");
  assert.equal(end, "end");
});
