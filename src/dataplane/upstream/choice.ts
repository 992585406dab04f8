/**
 * The choice of an upstream among the members of a group. Without allocation.
 * @module
 */
import { addressAt, addressLength } from "../../../ffi/sockets/sockaddr.ts";
import type { Strategy } from "../../config/upstreams/types.ts";
import { mixWord } from "../shared/addresses.ts";
import { UP, type UpstreamHealth } from "./health.ts";
import type { UpstreamSettings } from "./settings.ts";
import type { Sockaddr } from "./upstream.ts";

/** No member can be chosen. */
export const NO_MEMBER = -1;
/** A flow is led to no more members than these, one after another. */
export const MOST_MEMBERS = 3;

/** A member. */
export type Member = Pick<UpstreamSettings, "name" | "place" | "addresses" | "protocol">;

/** See the module. Members are known by their place in the group, `tried` is a set of them, as bits. */
export class MemberChoice {
  readonly #health: UpstreamHealth;
  readonly #members: readonly Member[];
  readonly #strategy: Strategy;
  readonly #seeds: Int32Array;

  constructor(health: UpstreamHealth, members: readonly Member[], strategy: Strategy) {
    this.#health = health;
    this.#members = members;
    this.#strategy = strategy;
    this.#seeds = Int32Array.from(members, ({ name }) => seedOf(name));
  }

  /** The number of members that are up and were not tried. */
  left(tried: number): number {
    let count = 0;
    for (let i = 0; i < this.#members.length; i++) if (this.#mayTake(i, tried)) count++;
    return count;
  }

  /** A member that is up and was not tried, for this client; NO_MEMBER: there is none. */
  choose(client: Sockaddr, tried: number): number {
    let best = NO_MEMBER;
    let most = 0;
    for (let i = 0; i < this.#members.length; i++) {
      if (!this.#mayTake(i, tried)) continue;
      const merit = this.#meritOf(i, client);
      if (best !== NO_MEMBER && merit <= most) continue;
      best = i;
      most = merit;
    }
    return best;
  }

  #mayTake(member: number, tried: number): boolean {
    const { place, addresses, protocol } = this.#members[member];
    const isThere = addresses.length > 0 || protocol.type === "direct";
    return isThere && (tried & (1 << member)) === 0 && this.#health.state(place) === UP;
  }

  /** Among equals the first is taken. */
  #meritOf(member: number, client: Sockaddr): number {
    switch (this.#strategy) {
      case "failover":
        return 0;
      case "least-connections":
        return -this.#health.connections(this.#members[member].place);
      case "hash":
        return weightFor(this.#seeds[member], client);
      default:
        return this.#strategy satisfies never;
    }
  }
}

/** A member's own number, which does not depend on the others. */
function seedOf(name: string): number {
  let seed = 0x2545f491;
  for (const byte of new TextEncoder().encode(name)) seed = mixWord(seed, byte);
  return seed;
}

/** Rendezvous hashing: the member with the greatest weight has the client, so that no other client moves. */
function weightFor(seed: number, client: Sockaddr): number {
  const from = addressAt(client[0]);
  const end = from + addressLength(client[0]);
  let weight = seed;
  for (let at = from; at < end; at++) weight = mixWord(weight, client[at]);
  return mixWord(weight, seed) >>> 0;
}
