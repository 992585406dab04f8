/**
 * Waits for sockets without blocking the event loop: one epoll for all of them, and one poll(2) on another
 * thread for the epoll, as long as anybody waits. Nothing is asked again and again.
 *
 * ```
 *   socket ─┐
 *   socket ─┼─ epoll (edge-triggered) ─┐
 *   socket ─┘                          ├─ poll(2), on a thread of Deno's pool ──► promises
 *   eventfd: nobody waits any more ────┘
 * ```
 * @module
 */
import { EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, POLLIN } from "../../../ffi/consts.ts";
import {
  addToEpoll,
  drainEventFd,
  EpollEvents,
  openEpoll,
  openEventFd,
  signalEventFd,
} from "../../../ffi/epoll.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { check } from "../../net/error.ts";

/** Events of one epoll_wait(2). */
const EVENTS = 64;
const MAY_READ = EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP;
const MAY_WRITE = EPOLLOUT | EPOLLERR | EPOLLHUP;
const ALL = (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) >>> 0;

/** A wait of somebody: true when it is worth trying again, false when the socket is closed. */
type Wait = PromiseWithResolvers<boolean>;

/** A non-blocking socket that can be waited for. Try first: only what came after the last try ends a wait. */
export class WatchedSocket {
  /** Its descriptor. */
  readonly fd: number;
  readonly #readiness: Readiness;
  readonly #key: number;
  #reading: Wait | undefined;
  #writing: Wait | undefined;
  #open = true;

  /** Made by {@linkcode watchSocket}. */
  constructor(fd: number, readiness: Readiness, key: number) {
    this.fd = fd;
    this.#readiness = readiness;
    this.#key = key;
  }

  /** Tells whether it is open: a closed one's descriptor may be somebody else's by now. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Waits until there may be something to read or to accept. False when it is closed meanwhile. */
  readable(): Promise<boolean> {
    if (!this.#open) return Promise.resolve(false);
    this.#reading ??= this.#readiness.begin();
    return this.#reading.promise;
  }

  /** Waits until it may take something. False when it is closed meanwhile. */
  writable(): Promise<boolean> {
    if (!this.#open) return Promise.resolve(false);
    this.#writing ??= this.#readiness.begin();
    return this.#writing.promise;
  }

  /** Ends what waits for reading, as if there were something. */
  endReading(): void {
    this.notify(EPOLLIN);
  }

  /** Ends the waits that the events of epoll are for. */
  notify(events: number): void {
    if (this.#reading !== undefined && (events & MAY_READ) !== 0) {
      this.#readiness.end(this.#reading, this.#open);
      this.#reading = undefined;
    }
    if (this.#writing !== undefined && (events & MAY_WRITE) !== 0) {
      this.#readiness.end(this.#writing, this.#open);
      this.#writing = undefined;
    }
  }

  /** Closes it, and ends all waits. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeFd(this.fd); // which takes it out of epoll too
    this.notify(MAY_READ | MAY_WRITE);
    this.#readiness.remove(this.#key);
  }
}

/** See the module. It is there while it has sockets. */
class Readiness {
  readonly #epoll: number;
  readonly #wake: number;
  readonly #set = new PollSet(2);
  readonly #events = new EpollEvents(EVENTS);
  readonly #sockets = new Map<number, WatchedSocket>();
  #lastKey = 0;
  #waits = 0;
  #running = false;
  /** The other thread is in poll(2). */
  #asleep = false;

  constructor() {
    this.#epoll = check(openEpoll(), "open", "epoll");
    this.#wake = openEventFd();
    if (this.#wake < 0) closeFd(this.#epoll);
    check(this.#wake, "open", "eventfd");
    this.#set.set(0, this.#epoll, POLLIN);
    this.#set.set(1, this.#wake, POLLIN);
  }

  add(fd: number): WatchedSocket {
    const key = this.#lastKey = (this.#lastKey + 1) >>> 0;
    const added = addToEpoll(this.#epoll, fd, ALL, key, 0);
    if (added < 0) {
      closeFd(fd);
      if (this.#sockets.size === 0 && !this.#running) this.#close();
      check(added, "wait for", "a socket");
    }
    const socket = new WatchedSocket(fd, this, key);
    this.#sockets.set(key, socket);
    return socket;
  }

  remove(key: number): void {
    this.#sockets.delete(key);
    if (this.#sockets.size === 0 && !this.#running) this.#close();
  }

  begin(): Wait {
    this.#waits++;
    if (!this.#running) void this.#run();
    return Promise.withResolvers<boolean>();
  }

  end(wait: Wait, open: boolean): void {
    wait.resolve(open);
    // If nobody waits, the other thread must not keep the process from ending.
    if (--this.#waits === 0 && this.#asleep) signalEventFd(this.#wake);
  }

  /** Waits as long as anybody does; somebody who only begins again when it has ended begins it again. */
  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waits > 0) {
      this.#asleep = true;
      await this.#set.waitElsewhere();
      this.#asleep = false;
      drainEventFd(this.#wake);
      this.#dispatch();
    }
    this.#running = false;
    if (this.#sockets.size === 0) this.#close();
  }

  #dispatch(): void {
    let count: number;
    do {
      count = this.#events.wait(this.#epoll, 0);
      for (let i = 0; i < count; i++) this.#sockets.get(this.#events.key(i))?.notify(this.#events.bits(i));
    } while (count === EVENTS);
  }

  #close(): void {
    closeFd(this.#epoll);
    closeFd(this.#wake);
    if (shared === this) shared = undefined;
  }
}

let shared: Readiness | undefined;

/**
 * Takes a non-blocking socket over: it is closed with what this returns, or at once when it cannot be waited
 * for.
 */
export function watchSocket(fd: number): WatchedSocket {
  shared ??= new Readiness();
  return shared.add(fd);
}
