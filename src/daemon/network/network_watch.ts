/**
 * Waits for changes of the network, without a timer while there are none. Changes come in crowds: they are
 * told together, and the more often they come the less often they are told. A loss that must be mended within
 * a second waits for less.
 * @module
 */
import { POLLIN } from "../../../ffi/consts.ts";
import { openEventFd, signalEventFd } from "../../../ffi/epoll.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { check, OperationError } from "../../net/error.ts";
import type { NetlinkMessage } from "../../netlink/message.ts";
import { NetlinkMonitor } from "../../netlink/monitor.ts";
import { isOurPort } from "../../netlink/served/port.ts";
import { NetworkChange } from "./change.ts";
import { readFirewallNews } from "./firewall_news.ts";
import { NetworkNews } from "./news.ts";
import { FAST, Pacer, SLOW } from "./pacer.ts";

/** Groups of notifications that are told. */
const GROUPS = ["links", "ipv4-routes", "ipv6-routes", "ipv4-rules", "ipv6-rules"] as const;
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

/** Options of a watch. */
export interface WatchOptions {
  /** Called after the network has changed, one call at a time. */
  readonly changed: (change: NetworkChange) => Promise<void>;
  /** Names the program with a process number; undefined: it has gone. */
  readonly nameProcess: (pid: number) => string | undefined;
}

/** Watches. Throws an OperationError if it cannot listen. */
export function watchNetwork(options: WatchOptions): NetworkWatch {
  const wake = check(openEventFd(), "create", "eventfd");
  const watcher = new Watcher(wake, options);
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
  readonly #firewall = watchFirewall();
  readonly #news = new NetworkNews();
  readonly #slow = new Pacer(SLOW);
  readonly #fast = new Pacer(FAST);
  readonly #options: WatchOptions;
  /** The sum of changes that were not told yet. */
  #change = new NetworkChange();
  /** A new plan may be made, as seldom as the pacer wants. */
  #planAt = 0;
  #ended = false;
  #cutShort: () => void = () => {};

  constructor(wake: number, options: WatchOptions) {
    this.#wake = wake;
    this.#options = options;
  }

  async follow(): Promise<void> {
    const set = new PollSet(3);
    set.set(0, this.#monitor.fd, POLLIN);
    set.set(1, this.#wake, POLLIN);
    if (this.#firewall === undefined) set.skip(2);
    else set.set(2, this.#firewall.fd, POLLIN);
    while (!this.#ended) {
      const ready = await set.waitElsewhere();
      await this.#sleep(ready ? TOGETHER_MS : ERROR_MS);
      if (this.#ended) break;
      this.#take();
      while (this.#change.isAny && !this.#ended) await this.#tell();
    }
    this.#monitor.close();
    this.#firewall?.close();
  }

  end(): void {
    this.#ended = true;
    signalEventFd(this.#wake);
    this.#cutShort();
  }

  /** Tells what is due, or waits a little for it. */
  async #tell(): Promise<void> {
    const now = performance.now();
    const change = this.#change;
    if (change.plan && this.#planAt === 0) this.#planAt = now + this.#slow.delay(now);
    const waits = change.plan && this.#planAt > now;
    if (!change.isUrgent && waits) {
      // What is urgent may come meanwhile.
      await this.#sleep(Math.min(this.#planAt - now, TOGETHER_MS));
      return this.#take();
    }
    if (change.isUrgent) {
      await this.#sleep(this.#fast.delay(now));
      this.#take();
      if (this.#ended) return;
    }
    this.#change = new NetworkChange();
    if (waits) {
      this.#change.plan = true;
      change.plan = false;
    } else this.#planAt = 0;
    await this.#options.changed(change);
  }

  #take(): void {
    const change = this.#change;
    const { messages, lost } = this.#monitor.take();
    for (const message of messages) {
      const own = isOurPort(message.portId);
      // Of routes of others, which may come in thousands, nobody's name is wanted.
      if (!this.#news.read(message, own, change) || own) continue;
      const name = this.#options.nameProcess(message.portId);
      if (name !== undefined) change.name(`${name} (${message.portId})`, change.rules);
    }
    if (lost) change.all();
    if (this.#firewall !== undefined) this.#takeFirewall(this.#firewall.take(), change);
  }

  #takeFirewall(
    { messages, lost }: { messages: readonly NetlinkMessage[]; lost: boolean },
    change: NetworkChange,
  ): void {
    let own = false;
    for (const message of messages) {
      // The last message of a transaction, which names its program, has no such number.
      if (message.portId !== 0) own = isOurPort(message.portId);
      readFirewallNews(message, own, change);
    }
    if (lost) change.rules = change.firewall = true;
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

/** Without privilege nobody tells, and nobody could mend it. */
function watchFirewall(): NetlinkMonitor | undefined {
  try {
    return new NetlinkMonitor(["nf_tables"]);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return undefined;
  }
}
