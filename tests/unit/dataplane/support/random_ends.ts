/**
 * Ends of sessions that send, read, stop reading, half-close and reset at random.
 * @module
 */
import assert from "node:assert/strict";
import { EAGAIN, SHUT_WR } from "../../../../ffi/consts.ts";
import { send, shutdownSocket } from "../../../../ffi/sockets/socket.ts";
import { assertSameBytes, pattern, Reader, reset } from "../../ffi/support/tcp.ts";

const PATTERN = pattern(700_000);

/** A small generator of numbers below `bound`, the same in each run. */
export function randomNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * bound);
  };
}

/** One end of a session, with its plan. */
export class End {
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
export function checkWay(from: End, to: End): void {
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

export function describeStall(ends: readonly End[]): string {
  const stalled = ends.filter((end) => !end.over);
  return `stalled: ${
    stalled.map((end) =>
      `sent ${end.sent}/${end.total}, ${end.finished ? "finished, " : ""}${end.reader.end}`
    ).join("; ")
  }`;
}
