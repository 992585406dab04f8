/**
 * Waits for changes of the network, without a timer while there are none. Changes come in crowds: they are
 * told together, and the more often they come the less often they are told.
 * @module
 */
import { POLLIN } from "../../../ffi/consts.ts";
import { openEventFd, signalEventFd } from "../../../ffi/epoll.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { check } from "../../net/error.ts";
import { NetlinkMonitor } from "../../netlink/monitor.ts";
import { NetworkNews } from "./news.ts";
import { Pacer } from "./pacer.ts";

/** Groups of notifications that are told. */
const GROUPS = ["links", "ipv4-routes", "ipv6-routes"] as const;
/** Milliseconds within which notifications are told together. */
const TOGETHER_MS = 200;
/** After an error of poll(2), whose number is not known. */
const ERROR_MS = 1000;

/** A watch that goes on until it is ended. */
export interface NetworkWatch {
  /**
   * Stops listening. Resolves when nothing of it is left; a change that is being dealt with is waited for.
   */
  end(): Promise<void>;
}

/**
 * Calls `changed`, one call at a time, after the network has changed. Throws an OperationError if it cannot
 * listen.
 */
export function watchNetwork(changed: () => Promise<void>): NetworkWatch {
  const wake = check(openEventFd(), "create", "eventfd");
  const watcher = new Watcher(wake, changed);
  const over = watcher.follow();
  return {
    async end() {
      watcher.end();
      await over;
      closeFd(wake);
    },
  };
}

class Watcher {
  readonly #wake: number;
  readonly #monitor = new NetlinkMonitor(GROUPS);
  readonly #news = new NetworkNews();
  readonly #pacer = new Pacer();
  readonly #changed: () => Promise<void>;
  #ended = false;
  #cutShort: () => void = () => {};

  constructor(wake: number, changed: () => Promise<void>) {
    this.#wake = wake;
    this.#changed = changed;
  }

  async follow(): Promise<void> {
    const set = new PollSet(2);
    set.set(0, this.#monitor.fd, POLLIN);
    set.set(1, this.#wake, POLLIN);
    while (!this.#ended) {
      const ready = await set.waitElsewhere();
      await this.#sleep(ready ? TOGETHER_MS : ERROR_MS);
      if (this.#ended || !this.#hasNews()) continue;
      // Until then messages wait in the socket, or are lost, which is told too.
      await this.#sleep(this.#pacer.delay(performance.now()));
      if (this.#ended) break;
      this.#hasNews();
      await this.#changed();
    }
    this.#monitor.close();
  }

  end(): void {
    this.#ended = true;
    signalEventFd(this.#wake);
    this.#cutShort();
  }

  #hasNews(): boolean {
    const { messages, lost } = this.#monitor.take();
    // All of them are looked at: the news keeps account.
    return messages.filter((message) => this.#news.matters(message)).length > 0 || lost;
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#ended || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#cutShort = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
