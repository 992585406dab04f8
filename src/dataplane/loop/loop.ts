/**
 * One epoll loop that does not know its users: each is a {@linkcode Service}.
 * @module
 */
import { EINTR } from "../../../ffi/consts.ts";
import { addToEpoll, EpollEvents, openEpoll, removeFromEpoll } from "../../../ffi/epoll.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { Clock } from "./clock.ts";
import type { Service } from "./service.ts";

const EVENTS_PER_TURN = 256;
/** The upper four bits of an epoll key are the number of the service, the others are the service's own. */
const OWN_BITS = 28;
const OWN_MASK = 0x0fffffff;
const MAX_SERVICES = 16;

/** Returns the sooner of two waits in milliseconds, where -1 is for ever. */
export function sooner(a: number, b: number): number {
  return a < 0 ? b : b < 0 ? a : Math.min(a, b);
}

/** The loop of one thread. */
export class Loop {
  readonly clock: Clock = new Clock();
  readonly #services: Service[] = [];
  readonly #events = new EpollEvents(EVENTS_PER_TURN);
  #epoll = -1;
  #draining = false;

  /** Adds a service. They take their turns in the order in which they were added, and are closed in it. */
  add(service: Service): void {
    if (this.#services.length === MAX_SERVICES) throw new RangeError(`more than ${MAX_SERVICES} services`);
    this.#services.push(service);
  }

  /** Opens epoll and starts all services. 0 or -errno. */
  start(): number {
    this.#epoll = openEpoll();
    if (this.#epoll < 0) return this.#epoll;
    for (const service of this.#services) {
      const returned = service.start();
      if (returned < 0) return returned;
    }
    return 0;
  }

  /**
   * Watches a descriptor for a service. `key` is below 2^28; it comes back with each event, and so does
   * `tag`. 0 or -errno.
   */
  watch(service: Service, fd: number, events: number, key: number, tag: number): number {
    const number = this.#services.indexOf(service);
    return addToEpoll(this.#epoll, fd, events, (number << OWN_BITS) | key, tag);
  }

  /** Watches a descriptor no longer. Closing one does the same. 0 or -errno. */
  unwatch(fd: number): number {
    return removeFromEpoll(this.#epoll, fd);
  }

  /**
   * Waits once for events, `longest` milliseconds at most, and does all that follows. The number of events,
   * or -errno.
   */
  turn(longest = -1): number {
    const services = this.#services;
    const events = this.#events;
    const count = events.wait(this.#epoll, sooner(longest, this.timeout()));
    if (count < 0 && count !== -EINTR) return count;
    this.clock.update();
    for (let i = 0; i < count; i++) {
      const key = events.key(i);
      services[key >>> OWN_BITS].event(key & OWN_MASK, events.tag(i), events.bits(i));
    }
    for (let i = 0; i < services.length; i++) services[i].turn();
    return Math.max(0, count);
  }

  /** Milliseconds that it may sleep, -1 for ever. */
  timeout(): number {
    let timeout = -1;
    for (let i = 0; i < this.#services.length; i++) timeout = sooner(timeout, this.#services[i].timeout());
    return timeout;
  }

  /** Tells all services, once, to begin nothing new. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    for (const service of this.#services) service.drain();
  }

  /** Tells, after {@linkcode drain}, that no service has anything left to wait for. */
  idle(): boolean {
    return this.#services.every((service) => service.idle());
  }

  /** Closes all services and epoll. */
  close(): void {
    for (const service of this.#services.splice(0)) service.close();
    this.abandon();
  }

  /** Closes epoll alone: a service has failed, and somebody else closes what they have. */
  abandon(): void {
    if (this.#epoll >= 0) closeFd(this.#epoll);
    this.#epoll = -1;
  }
}
