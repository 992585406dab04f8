/**
 * poll(2), for the few descriptors of a tool. Unlike epoll it takes regular files, which are always ready.
 * @module
 */
import { result } from "./errno.ts";
import { POLLFD_SIZE, POLLFD_WORD } from "./layout.ts";
import { libc } from "./libc.ts";

const FD_WORDS = POLLFD_SIZE / 4;
const WORDS = POLLFD_SIZE / 2;

/** A list of descriptors to wait for. Make it once, and fill it before each call. */
export class PollSet {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #fds: Int32Array<ArrayBuffer>;
  readonly #words: Int16Array<ArrayBuffer>;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size * POLLFD_SIZE);
    this.#fds = new Int32Array(this.#bytes.buffer);
    this.#words = new Int16Array(this.#bytes.buffer);
  }

  /**
   * Sets the events to wait for at place `i`: POLLIN and POLLOUT; 0: errors alone, which come in any case.
   */
  set(i: number, fd: number, events: number): void {
    this.#fds[i * FD_WORDS] = fd;
    this.#words[i * WORDS + POLLFD_WORD.events] = events;
  }

  /** Leaves place `i` out. */
  skip(i: number): void {
    this.set(i, -1, 0);
  }

  /** poll(2). `timeout` in milliseconds, -1 for ever. How many descriptors are ready, or -errno. */
  wait(timeout: number): number {
    return result(libc.poll(this.#bytes, this.#bytes.length / POLLFD_SIZE, timeout));
  }

  /**
   * Calls poll(2) for ever on a thread of its own, so that the caller's event loop goes on: at most one at a
   * time, and something in the set must be able to end it (an eventfd). Returns true: something is ready;
   * false after an error, whose number is lost.
   */
  async waitElsewhere(): Promise<boolean> {
    return await libc.poll_elsewhere(this.#bytes, this.#bytes.length / POLLFD_SIZE, -1) > 0;
  }

  /** Returns the events that have come about at place `i`: POLLIN, POLLOUT, POLLERR, POLLHUP. */
  ready(i: number): number {
    return this.#words[i * WORDS + POLLFD_WORD.revents];
  }
}
