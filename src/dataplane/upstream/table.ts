/**
 * The upstreams of a worker by number. Those of the policy and the settings in force are made when the first
 * is asked for.
 * @module
 */
import { ECONNREFUSED } from "../../../ffi/consts.ts";
import type { Policy } from "../../policy/policy.ts";
import type { WorkerContext } from "../context.ts";
import type { RouterTraffic } from "../sockets/own_addresses.ts";
import { GroupUpstream } from "./group.ts";
import { OwnWayUpstream } from "./own_way.ts";
import { ProxiedUpstream } from "./proxied.ts";
import type { UpstreamSettings } from "./settings.ts";
import type { Upstream } from "./upstream.ts";

/** The route of flows that go where they were meant to go. The i-th way of the policy is i + 1. */
export const DIRECT = 0;
/** The route of flows whose upstream nobody knows. */
export const NOWHERE = -1;

/** A table. */
export class UpstreamTable {
  readonly #context: WorkerContext;
  readonly #direct: Upstream;
  readonly #router: RouterTraffic | null;
  #settings: readonly UpstreamSettings[] = [];
  #policy: Policy | null = null;
  /** By number of the way; null: it leads to none. */
  #groups: readonly (GroupUpstream | null)[] = [];

  /** `router`: null where no client is a program on the router itself. */
  constructor(context: WorkerContext, direct: Upstream, router: RouterTraffic | null = null) {
    this.#context = context;
    this.#direct = direct;
    this.#router = router;
  }

  /**
   * The upstream of a route. One that is not known refuses: nothing goes direct for lack of an upstream,
   * unless the rule says so.
   */
  of(route: number): Upstream {
    if (route === DIRECT) return this.#direct;
    const { policy, settings: { upstreams } } = this.#context;
    if (upstreams !== this.#settings || policy !== this.#policy) this.#make(policy, upstreams);
    const group = this.#groups[route - 1] ?? null;
    if (group === null) return NO_UPSTREAM;
    if (policy!.ways[route - 1].whenDown === "direct") {
      return group.isDown("flows go direct") ? this.#direct : group;
    }
    group.isDown("flows are refused"); // the dial finds the same
    return group;
  }

  /**
   * The upstream of a connection that another process has brought about, which counts as a connection of it.
   * `carrier`: see {@linkcode Upstream.carrier}.
   */
  inherited(carrier: number): Upstream {
    const { settings: { upstreams }, health } = this.#context;
    const own = upstreams[carrier - 1];
    if (own === undefined) return NO_UPSTREAM; // it goes direct, or through one that this config has not
    health.addConnections(own.place, 1);
    return { ...NO_UPSTREAM, name: own.name, ended: () => health.addConnections(own.place, -1) };
  }

  #make(policy: Policy | null, settings: readonly UpstreamSettings[]): void {
    this.#settings = settings;
    this.#policy = policy;
    const upstreams = settings.map((own, i) => {
      const Member = own.protocol.type === "direct" ? OwnWayUpstream : ProxiedUpstream;
      return new Member(this.#context, own, this.#router, i + 1);
    });
    this.#groups = (policy?.ways ?? []).map(({ action, upstreams: members, strategy }) => {
      const known = members.map((member) => upstreams[member]).filter((member) => member !== undefined);
      return action !== "proxy" || known.length === 0
        ? null
        : new GroupUpstream(this.#context, known, strategy);
    });
  }
}

const NO_UPSTREAM: Upstream = {
  name: "none",
  wantsName: false,
  isDirect: () => false,
  dial: () => -ECONNREFUSED,
  patience: () => 1,
  greeting: () => null,
  settled: () => {},
  ended: () => {},
};
