/**
 * The upstreams of UDP flows, and the choice among those of a way. One that a reload has left as it was goes
 * on to be the same, and so do its sessions.
 * @module
 */
import { makeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import type { Policy } from "../../../policy/policy.ts";
import type { WorkerContext } from "../../context.ts";
import { copyAddress } from "../../shared/addresses.ts";
import { MemberChoice, NO_MEMBER } from "../../upstream/choice.ts";
import { CONFIGURATION, TARGET, UPSTREAM } from "../../upstream/greetings/greeting.ts";
import type { UpstreamSettings } from "../../upstream/settings.ts";
import { UpstreamTrouble } from "../../upstream/trouble.ts";

/** An upstream. */
export class UdpUpstream {
  /** A number below zero; no other ever has it. */
  readonly number: number;
  readonly settings: UpstreamSettings;
  /** Its number in the books, see Ledger.through(). */
  carrier = 0;
  readonly #context: WorkerContext;
  readonly #trouble: UpstreamTrouble;

  constructor(context: WorkerContext, settings: UpstreamSettings, number: number) {
    this.#context = context;
    this.settings = settings;
    this.number = number;
    this.#trouble = new UpstreamTrouble(context, settings.name);
  }

  /** Notes that it is asked for something, and by how many connections more it is dialled. */
  dialled(change: number): void {
    const { health, clock } = this.#context;
    if (change > 0) health.used(this.settings.place, clock.time);
    health.addConnections(this.settings.place, change);
  }

  /** Notes that it does its work. */
  worked(): void {
    this.#context.health.worked(this.settings.place);
  }

  /** Notes that a flow cannot go by it. Checks alone find whether it is down. */
  troubled(errno: number): void {
    this.#trouble.note(errno, UPSTREAM, "");
  }

  /** Notes that a flow does not go by it. `blame`: see greetings/greeting.ts; `words`: its own. */
  failed(errno: number, blame: number, words: string): void {
    const { place, fall } = this.settings;
    if (blame === TARGET) return this.worked();
    // Another worker may have told it.
    if (blame === CONFIGURATION && !this.#context.health.refused(place)) return;
    this.#trouble.note(errno, blame, words);
    if (blame === UPSTREAM) this.#context.health.failed(place, errno, fall);
  }
}

/** The members of a way. */
interface Group {
  readonly members: readonly UdpUpstream[];
  readonly choice: MemberChoice;
}

/** The upstreams of a worker. */
export class UdpUpstreams {
  readonly #context: WorkerContext;
  #settings: readonly UpstreamSettings[] = [];
  #policy: Policy | null = null;
  #upstreams: readonly UdpUpstream[] = [];
  /** By number of the way. */
  #groups: readonly Group[] = [];
  #last = 0;
  readonly #client = makeSockaddr();
  readonly #clientWords = new Int32Array(this.#client.buffer);

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  /**
   * The upstream of a route (upstream/table.ts) for the client whose struct sockaddr is at `at`. null: none
   * can take its flow, which goes direct; undefined: which goes nowhere. `failed`: one that has just failed
   * the client, and is taken if there is no other.
   */
  choose(
    route: number,
    words: Int32Array,
    at: number,
    failed: UdpUpstream | null,
  ): UdpUpstream | null | undefined {
    const { policy, settings: { upstreams } } = this.#context;
    if (upstreams !== this.#settings || policy !== this.#policy) this.#make(policy, upstreams);
    const group = this.#groups[route - 1];
    if (group === undefined) return undefined;
    copyAddress(words, at, this.#clientWords, 0);
    const tried = failed === null ? 0 : 1 << group.members.indexOf(failed);
    let member = group.choice.choose(this.#client, tried);
    if (member === NO_MEMBER && tried !== 0) member = group.choice.choose(this.#client, 0);
    if (member !== NO_MEMBER) return group.members[member];
    return policy!.ways[route - 1].whenDown === "direct" ? null : undefined;
  }

  /** The upstream of a name; undefined: there is none. */
  named(name: string): UdpUpstream | undefined {
    const { policy, settings: { upstreams } } = this.#context;
    if (upstreams !== this.#settings || policy !== this.#policy) this.#make(policy, upstreams);
    return this.#upstreams.find(({ settings }) => settings.name === name);
  }

  #make(policy: Policy | null, settings: readonly UpstreamSettings[]): void {
    const before = this.#upstreams;
    this.#policy = policy;
    this.#settings = settings;
    this.#upstreams = settings.map((own, place) => {
      const upstream = before.find((old) => isSame(old.settings, own)) ??
        new UdpUpstream(this.#context, own, --this.#last);
      upstream.carrier = place + 1;
      return upstream;
    });
    this.#groups = (policy?.ways ?? []).map(({ upstreams, strategy }) => {
      const members = upstreams.map((member) => this.#upstreams[member]).filter((member) =>
        member !== undefined
      );
      const choice = new MemberChoice(
        this.#context.health,
        members.map((member) => member.settings),
        strategy,
      );
      return { members, choice };
    });
  }
}

/** Plain data, and its keys are always in the same order. */
function isSame(a: UpstreamSettings, b: UpstreamSettings): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
