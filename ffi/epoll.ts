/**
 * epoll(7) and eventfd(2). Events carry two 32-bit numbers of the caller's.
 * @module
 */
import {
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
} from "./consts.ts";
import { EPOLL_EVENT_DATA, EPOLL_EVENT_WORDS } from "./epoll_layout.ts";
import { result } from "./errno.ts";
import { libc } from "./libc.ts";

const change = new Uint32Array(EPOLL_EVENT_WORDS);

/** epoll_create1(2), close-on-exec. The descriptor or -errno. */
export function openEpoll(): number {
  return result(libc.epoll_create1(EPOLL_CLOEXEC));
}

/** EPOLL_CTL_ADD. `key` and `tag` come back with each event. 0 or -errno. */
export function addToEpoll(epoll: number, fd: number, events: number, key: number, tag: number): number {
  return control(epoll, EPOLL_CTL_ADD, fd, events, key, tag);
}

/** EPOLL_CTL_MOD. 0 or -errno. */
export function changeInEpoll(epoll: number, fd: number, events: number, key: number, tag: number): number {
  return control(epoll, EPOLL_CTL_MOD, fd, events, key, tag);
}

/** EPOLL_CTL_DEL. 0 or -errno. */
export function removeFromEpoll(epoll: number, fd: number): number {
  return control(epoll, EPOLL_CTL_DEL, fd, 0, 0, 0);
}

function control(
  epoll: number,
  operation: number,
  fd: number,
  events: number,
  key: number,
  tag: number,
): number {
  change[0] = events;
  change[EPOLL_EVENT_DATA] = key;
  change[EPOLL_EVENT_DATA + 1] = tag;
  return result(libc.epoll_ctl(epoll, operation, fd, change));
}

/** Room for the events of one epoll_wait(2), readable without allocation. */
export class EpollEvents {
  readonly capacity: number;
  readonly #words: Uint32Array<ArrayBuffer>;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#words = new Uint32Array(capacity * EPOLL_EVENT_WORDS);
  }

  /**
   * epoll_wait(2). `timeout` in milliseconds, -1 for ever. The number of events, or -errno (-EINTR means
   * none).
   */
  wait(epoll: number, timeout: number): number {
    return result(libc.epoll_wait(epoll, this.#words, this.capacity, timeout));
  }

  /** The event bits of the i-th event. */
  bits(i: number): number {
    return this.#words[i * EPOLL_EVENT_WORDS];
  }

  /** The key that the descriptor was added with. */
  key(i: number): number {
    return this.#words[i * EPOLL_EVENT_WORDS + EPOLL_EVENT_DATA];
  }

  /** The tag that the descriptor was added with. */
  tag(i: number): number {
    return this.#words[i * EPOLL_EVENT_WORDS + EPOLL_EVENT_DATA + 1];
  }
}

const counter = new Uint32Array(2);

/** eventfd(2), non-blocking: wakes a thread that waits in epoll. The descriptor or -errno. */
export function openEventFd(): number {
  return result(libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

/** Adds one to an eventfd. 8, or -errno. */
export function signalEventFd(fd: number): number {
  counter[0] = 1;
  counter[1] = 0;
  return result(libc.write(fd, new Uint8Array(counter.buffer), 8));
}

/** Takes an eventfd's count, so that it is quiet again. 8, or -errno (-EAGAIN: it was quiet). */
export function drainEventFd(fd: number): number {
  return result(libc.read(fd, new Uint8Array(counter.buffer), 8));
}
