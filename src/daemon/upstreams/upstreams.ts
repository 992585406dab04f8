/**
 * The upstreams of a running proxy: their addresses, their checks, and their states, which workers read.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import type { Secrets } from "../../config/files/secrets.ts";
import type { Config } from "../../config/types.ts";
import type { UpstreamConfig } from "../../config/upstreams/types.ts";
import { DOWN, REFUSED, UP, type UpstreamHealth } from "../../dataplane/upstream/health.ts";
import type { UpstreamSettings } from "../../dataplane/upstream/settings.ts";
import type { Sockaddr } from "../../dataplane/upstream/upstream.ts";
import { type Endpoint, formatEndpoint } from "../../net/ip.ts";
import type { Logger } from "../../log.ts";
import { errnoCode } from "../../net/errno.ts";
import { sinceEpoch } from "../../../ffi/clock.ts";
import { readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { CheckPlan, type CheckResult } from "./check_plan.ts";
import { NameBook, type NameBookParts } from "./name_book.ts";
import { Places, type UpstreamIdentities } from "./places.ts";
import { checkedPlace, isDialled, sockaddrsOf, upstreamSettings } from "./settings.ts";
import { describeGroups, type GroupStatus, type UpstreamStatus } from "./status.ts";

/** Milliseconds between two looks at what is due. */
const TICK_MS = 500;

/** The part of a config that upstreams follow from. */
export interface UpstreamSource {
  readonly loaded: LoadedConfig;
  readonly secrets: Secrets;
}

/** The outside world. */
export interface UpstreamWorld {
  readonly log: Logger;
  readonly resolve: NameBookParts["resolve"];
  check(settings: UpstreamSettings, config: UpstreamConfig): Promise<CheckResult>;
  /** The kernel is to spare the addresses of upstreams that have names: these. */
  spare(places: readonly Endpoint[]): void;
  /** Milliseconds of CLOCK_MONOTONIC. */
  now(): number;
  /** From 0 to 1, by chance. */
  chance(): number;
}

/** The workers. */
export interface UpstreamWorkers {
  readonly upstreams: UpstreamHealth;
  tellAddresses(place: number, list: readonly Sockaddr[]): void;
}

/** The part of a generation that upstreams are led by. */
export interface UpstreamGeneration extends Pick<UpstreamSource, "loaded"> {
  readonly settings: { readonly upstreams: readonly UpstreamSettings[] };
}

/** See the module. */
export class Upstreams {
  readonly #world: UpstreamWorld;
  readonly #places = new Places();
  readonly #names: NameBook;
  #inForce: UpstreamGeneration | undefined;
  #plans = new Map<string, CheckPlan>();
  #workers: UpstreamWorkers | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(world: UpstreamWorld) {
    this.#world = world;
    this.#names = new NameBook({
      log: world.log,
      resolve: world.resolve,
      changed: (host) => this.tellAddresses(host),
    });
  }

  /** Makes the settings of a config's upstreams. Changes nothing. Throws an OperationError. */
  prepare(source: UpstreamSource): readonly UpstreamSettings[] {
    const { config } = source.loaded;
    const nobody = { connections: () => 0 };
    const places = this.#places.choose(identitiesOf(config), this.#workers?.upstreams ?? nobody);
    return upstreamSettings(config, {
      secrets: source.secrets,
      addressesOf: (host) => this.#names.addressesOf(host),
      placeOf: (name) => places.get(name)!,
    });
  }

  /** Puts those into force that the workers have taken. */
  adopt(next: UpstreamGeneration, workers: UpstreamWorkers): void {
    this.#workers = workers;
    const now = this.#world.now();
    const { config } = next.loaded;
    const { upstreams } = config;
    const places = new Map(next.settings.upstreams.map(({ name, place }) => [name, place]));
    const fresh = new Set(this.#places.adopt(identitiesOf(config), places));
    for (const place of fresh) workers.upstreams.clear(place);
    const before = this.#plans;
    this.#plans = new Map();
    for (const [name, { check }] of Object.entries(upstreams)) {
      const known = fresh.has(places.get(name)!) ? undefined : before.get(name);
      known?.adopt(check);
      this.#plans.set(name, known ?? new CheckPlan(check, { now }));
    }
    this.#inForce = next;
    const hosts = new Set<string>();
    for (const upstream of Object.values(upstreams)) {
      const place = checkedPlace(upstream);
      if (place !== undefined && "host" in place) hosts.add(place.host);
    }
    this.#names.keep(hosts);
    this.tellAddresses();
    this.#keepTime(Object.keys(upstreams).length > 0);
  }

  /** Tells the workers the addresses of upstreams that have a name: those with this one, or all. */
  tellAddresses(host?: string): void {
    const inForce = this.#inForce;
    if (inForce === undefined) return;
    const places: Endpoint[] = [];
    for (const { name, place } of inForce.settings.upstreams) {
      const upstream = inForce.loaded.config.upstreams[name];
      if (!isDialled(upstream) || !("host" in upstream.address)) continue;
      const list = this.#addressesNow(name);
      if (upstream.address.port !== 0) places.push(...list.map(readSockaddr));
      if (host === undefined || upstream.address.host === host) this.#workers!.tellAddresses(place, list);
    }
    this.#world.spare(places);
  }

  /** Looks at what is due. */
  tick(): void {
    const inForce = this.#inForce;
    if (inForce === undefined || this.#workers === undefined) return;
    const { upstreams: health } = this.#workers;
    const now = this.#world.now();
    this.#names.tick(now);
    for (const { name, place } of inForce.settings.upstreams) {
      const plan = this.#plans.get(name)!;
      const state = health.state(place);
      if (state !== plan.state) {
        const reason = state === REFUSED
          ? "it refuses us"
          : `connections: ${errnoCode(health.lastError(place))}`;
        plan.found(state, reason, this.#moment(now));
        this.#tell(name, plan);
      }
      // Nothing can be checked of a name that is not resolved, nor of type direct without a target.
      const hasAddress = this.#checkedNow(name).length > 0;
      if (hasAddress && plan.begins({ now }, now - 1000 * health.lastUse(place))) {
        this.#check(name, plan, place);
      }
    }
  }

  /** Ends the checks. */
  end(): void {
    this.#keepTime(false);
  }

  /** The state of each. */
  status(): readonly UpstreamStatus[] {
    const inForce = this.#inForce;
    if (inForce === undefined || this.#workers === undefined) return [];
    const { upstreams: health } = this.#workers;
    return inForce.settings.upstreams.map(({ name, place }) => {
      const plan = this.#plans.get(name)!;
      const addresses = this.#addressesNow(name);
      const { upstreams } = inForce.loaded.config;
      const isUnresolved = isDialled(upstreams[name]) && addresses.length === 0;
      return {
        name,
        state: isUnresolved || plan.state === DOWN ? "down" : plan.state === UP ? "up" : "refused",
        since: sinceEpoch(plan.since),
        reason: isUnresolved ? "its name is not resolved" : plan.reason,
        connections: health.connections(place),
        addresses: addresses.map((address) => formatEndpoint(readSockaddr(address))),
      };
    });
  }

  /** The member that each group uses. */
  groups(): readonly GroupStatus[] {
    const inForce = this.#inForce;
    return inForce === undefined ? [] : describeGroups(inForce.loaded.config, this.status());
  }

  #check(name: string, plan: CheckPlan, place: number): void {
    const { loaded: { config }, settings: { upstreams } } = this.#inForce!;
    const own = upstreams.find((upstream) => upstream.name === name)!;
    const addresses = this.#checkedNow(name);
    this.#world.check({ ...own, addresses }, config.upstreams[name]).then((result) => {
      const before = plan.state;
      plan.ended(result, this.#moment(this.#world.now()));
      // Another one has its place by now.
      if (this.#plans.get(name) !== plan || plan.state === before) return;
      this.#workers!.upstreams.setState(place, plan.state);
      this.#tell(name, plan);
    });
  }

  #addressesNow(name: string): Sockaddr[] {
    return isDialled(this.#inForce!.loaded.config.upstreams[name]) ? this.#checkedNow(name) : [];
  }

  #checkedNow(name: string): Sockaddr[] {
    const place = checkedPlace(this.#inForce!.loaded.config.upstreams[name]);
    return place === undefined ? [] : sockaddrsOf(place, (host) => this.#names.addressesOf(host));
  }

  #tell(upstream: string, { state, reason }: CheckPlan): void {
    const { log } = this.#world;
    if (state === UP) return log.info("an upstream is up", { upstream });
    if (state === DOWN) return log.warn("an upstream is down", { upstream, reason });
    const { origin, locate } = this.#inForce!.loaded;
    const { line } = locate(["upstreams", upstream]) ?? { line: 0 };
    log.error("an upstream refuses us as configured", { upstream, config: `${origin}:${line}`, reason });
  }

  #moment(now: number): { now: number; chance: number } {
    return { now, chance: this.#world.chance() };
  }

  #keepTime(wanted: boolean): void {
    if (wanted === (this.#timer !== undefined)) return;
    clearInterval(this.#timer);
    this.#timer = wanted ? setInterval(() => this.tick(), TICK_MS) : undefined;
    if (wanted) this.tick();
  }
}

/** Finds what upstreams are known by: another address or type is another upstream. */
function identitiesOf({ upstreams }: Pick<Config, "upstreams">): UpstreamIdentities {
  return new Map(
    Object.entries(upstreams).map(([name, upstream]) => {
      const address = !isDialled(upstream)
        ? upstream.interface ?? ""
        : "host" in upstream.address
        ? `${upstream.address.host}:${upstream.address.port}`
        : formatEndpoint(upstream.address);
      const user = "username" in upstream ? upstream.username : "";
      return [name, `${upstream.type} ${address} ${user}`];
    }),
  );
}
