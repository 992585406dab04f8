/**
 * The upstreams of a worker by number. Those of the settings in force are made when the first is asked for.
 * @module
 */
import { ECONNREFUSED } from "../../../ffi/consts.ts";
import type { WorkerContext } from "../context.ts";
import { ProxiedUpstream } from "./proxied.ts";
import type { UpstreamSettings } from "./settings.ts";
import type { Upstream } from "./upstream.ts";

/** The route of flows that go where they were meant to go. The i-th upstream of the settings is i + 1. */
export const DIRECT = 0;
/** The route of flows whose upstream nobody knows. */
export const NOWHERE = -1;

/** A table. */
export class UpstreamTable {
  readonly #context: WorkerContext;
  readonly #direct: Upstream;
  readonly #mark: number;
  #known: readonly UpstreamSettings[] = [];
  #upstreams: readonly Upstream[] = [];

  /** `mark`: SO_MARK of sockets towards servers, 0 for none. */
  constructor(context: WorkerContext, direct: Upstream, mark = 0) {
    this.#context = context;
    this.#direct = direct;
    this.#mark = mark;
  }

  /** The upstream of a route. One that is not known refuses: nothing goes direct for lack of an upstream. */
  of(route: number): Upstream {
    if (route === DIRECT) return this.#direct;
    const { upstreams } = this.#context.settings;
    if (upstreams !== this.#known) {
      this.#known = upstreams;
      this.#upstreams = upstreams.map((own, i) => new ProxiedUpstream(this.#context, own, this.#mark, i + 1));
    }
    return this.#upstreams[route - 1] ?? NO_UPSTREAM;
  }
}

const NO_UPSTREAM: Upstream = {
  name: "none",
  isDirect: false,
  wantsName: false,
  dial: () => -ECONNREFUSED,
  patience: () => 1,
  greeting: () => null,
  settled: () => {},
};
