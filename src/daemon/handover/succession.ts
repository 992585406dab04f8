/**
 * The place of a proxy among those before and after it: at most one that has handed over lives beside the one
 * that runs.
 * @module
 */
import type { Proxy } from "../proxy.ts";
import type { Surroundings } from "../surroundings.ts";
import { Handover } from "./handover.ts";
import type { Predecessor } from "./predecessor.ts";

/** Milliseconds that connections have to follow, at least: a slow router starts slowly. */
const FOLLOW_MS = 30_000;

/** See the module. */
export class Succession {
  readonly handover: Handover;
  /** Ends, when all is handed over, what the successor does from now on. */
  begun: () => void = () => {};
  quit: () => void = () => {};
  readonly #proxy: Proxy;
  readonly #surroundings: Surroundings;
  readonly #predecessor: Predecessor | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(proxy: Proxy, surroundings: Surroundings, predecessor: Predecessor | undefined) {
    this.#proxy = proxy;
    this.#surroundings = surroundings;
    this.#predecessor = predecessor;
    this.handover = new Handover({
      dataplane: proxy.dataplane,
      live: proxy.live,
      log: surroundings.log,
      config: () => proxy.generation.loaded.config,
      busy: () => this.#busy(),
      handedOver: (pid, follow) => this.#handOver(pid, follow),
    });
  }

  /** Parts with those before and after. */
  end(): void {
    clearTimeout(this.#timer);
    this.#predecessor?.end();
    this.handover.end();
  }

  #busy(): string | undefined {
    if (this.#proxy.facts().phase === "draining") return "it lets its last connections end";
    if (this.#predecessor === undefined || this.#predecessor.isGone) return undefined;
    return "the proxy before it still lets its last connections end, for timeouts.drain at most: try again then";
  }

  #handOver(pid: number, follow: boolean): void {
    const { notifier } = this.#surroundings;
    this.begun();
    this.quit();
    this.#proxy.handOver();
    notifier.send(`MAINPID=${pid}`);
    const { drainMs } = this.#proxy;
    this.#timer = setTimeout(() => this.#proxy.stop(), follow ? Math.max(FOLLOW_MS, drainMs) : drainMs);
  }
}
