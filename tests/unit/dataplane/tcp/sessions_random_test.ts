/**
 * Many sessions at once, whose ends send, read, stop reading, half-close and reset at random. In all cases
 * bytes arrive unchanged and in order, a clean end means that all has arrived, a reset stays a reset, and
 * nothing stalls.
 */
import assert from "node:assert/strict";
import { EAGAIN, SHUT_WR } from "../../../../ffi/consts.ts";
import { closeFd, send, shutdownSocket } from "../../../../ffi/sockets/socket.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import { assertSameBytes, pattern, Reader, reset, tcpPair } from "../../ffi/support/tcp.ts";
import { SessionBench } from "../support/session_bench.ts";

const PATTERN = pattern(700_000);

/** A small generator of numbers below `bound`, the same in each run. */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * bound);
  };
}

/** One end of a session, with its plan. */
class End {
  readonly fd: number;
  readonly reader: Reader;
  readonly total: number;
  readonly resets: boolean;
  sent = 0;
  closed = false;
  finished = false;
  readonly #random: (bound: number) => number;
  #naps = 0;

  constructor(fd: number, random: (bound: number) => number) {
    this.fd = fd;
    this.reader = new Reader(fd);
    this.#random = random;
    this.total = random(3) === 0 ? random(200) : random(500_000);
    this.resets = random(5) === 0;
  }

  get over(): boolean {
    return this.closed || (this.finished && this.reader.end !== "open") ||
      typeof this.reader.end === "number";
  }

  /** An error that was met here is one that reading does not tell any more. */
  #wasReset(error: number): void {
    const before = this.reader.end;
    this.reader.read();
    if (before === "open") this.reader.end = error;
  }

  act(): void {
    if (this.over) return;
    if (this.#naps > 0) this.#naps--;
    else if (this.#random(20) === 0) this.#naps = this.#random(60);
    else this.reader.read();
    if (this.sent < this.total && this.#random(3) > 0) {
      const length = Math.min(
        this.total - this.sent,
        1 + this.#random(this.#random(2) === 0 ? 100 : 100_000),
      );
      const taken = send(this.fd, PATTERN.subarray(this.sent, this.sent + length), length);
      if (taken > 0) this.sent += taken;
      else if (taken !== -EAGAIN) this.#wasReset(taken);
    } else if (this.sent === this.total && !this.finished) {
      if (this.resets) {
        reset(this.fd);
        this.closed = true;
      } else {
        this.finished = true;
        const returned = shutdownSocket(this.fd, SHUT_WR);
        if (returned < 0) this.#wasReset(returned);
      }
    }
  }
}

/** Checks what `to` has seen of `from`. */
function checkWay(from: End, to: End): void {
  const { data, end } = to.reader;
  assert.ok(data.length <= from.sent);
  assertSameBytes(data, PATTERN.subarray(0, data.length));
  if (to.closed) return;
  if (end === "end") {
    assert.ok(from.finished, "a clean end that nobody has made");
    assert.equal(data.length, from.total, "a clean end before all had arrived");
  } else {
    assert.equal(typeof end, "number");
    assert.ok(from.closed || from.reader.end !== "end" || to.resets, "a reset that nobody has made");
  }
}

function describeStall(ends: readonly End[]): string {
  const stalled = ends.filter((end) => !end.over);
  return `stalled: ${
    stalled.map((end) =>
      `sent ${end.sent}/${end.total}, ${end.finished ? "finished, " : ""}${end.reader.end}`
    ).join("; ")
  }`;
}

for (const seed of [1, 2, 3]) {
  descriptorTest(`TcpSessions keeps its promises over random sessions (seed ${seed})`, async () => {
    const random = randomNumbers(seed);
    using bench = new SessionBench({ maxPipes: 6 });
    const sessions = Array.from({ length: 25 }, () => {
      const smallBuffers = random(2) === 0;
      const [proxyToClient, client] = tcpPair({ smallBuffers });
      const [proxyToServer, server] = tcpPair({ smallBuffers });
      bench.open(proxyToClient, proxyToServer);
      return [new End(client, random), new End(server, random)] as const;
    });
    bench.settle();
    const ends = sessions.flat();
    const deadline = performance.now() + 10_000;
    for (let step = 0; ends.some((end) => !end.over); step++) {
      assert.ok(performance.now() < deadline, describeStall(ends));
      for (const end of ends) end.act();
      bench.turn();
      // Let timers of the kernel and of sessions run, too.
      if (step % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await bench.until(() => bench.sessions.size === 0, 8);
    for (const [client, server] of sessions) {
      checkWay(client, server);
      checkWay(server, client);
    }
    const { connected, closed = 0, reset: resets = 0, ...others } = bench.counts();
    assert.deepEqual(others, {});
    assert.equal(connected, 25);
    assert.equal(closed + resets, 25);
    assert.ok(closed > 0 && resets > 0, "the seed shows nothing");
    for (const end of ends) if (!end.closed) closeFd(end.fd);
  });
}
