/**
 * The upstreams of UDP flows. One that a reload has left as it was goes on to be the same, and so do its
 * sessions.
 * @module
 */
import type { WorkerContext } from "../../context.ts";
import type { UpstreamSettings } from "../../upstream/settings.ts";
import { UpstreamTrouble } from "../../upstream/trouble.ts";

/** An upstream. */
export interface UdpUpstream {
  /** A number below zero; no other ever has it. */
  readonly number: number;
  readonly settings: UpstreamSettings;
  readonly trouble: UpstreamTrouble;
}

/** The upstreams of a worker. */
export class UdpUpstreams {
  readonly #context: WorkerContext;
  #known: readonly UpstreamSettings[] = [];
  #upstreams: readonly UdpUpstream[] = [];
  #last = 0;

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  /** The upstream of a route: see upstream/table.ts. Nothing: nobody knows it. */
  of(route: number): UdpUpstream | undefined {
    const { upstreams } = this.#context.settings;
    if (upstreams !== this.#known) {
      const before = this.#upstreams;
      this.#known = upstreams;
      this.#upstreams = upstreams.map((settings) =>
        before.find((old) => isSame(old.settings, settings)) ?? this.#make(settings)
      );
    }
    return this.#upstreams[route - 1];
  }

  #make(settings: UpstreamSettings): UdpUpstream {
    const trouble = new UpstreamTrouble(this.#context, settings.name);
    return { number: --this.#last, settings, trouble };
  }
}

/** Plain data, and its keys are always in the same order. */
function isSame(a: UpstreamSettings, b: UpstreamSettings): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
