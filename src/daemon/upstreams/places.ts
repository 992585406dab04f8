/**
 * The places of upstreams in the memory that workers share. An upstream keeps its own over reloads unless it
 * has become another; connections through one that has gone are still counted there.
 * @module
 */
import { MOST_UPSTREAMS, type UpstreamHealth } from "../../dataplane/upstream/health.ts";
import { OperationError } from "../../net/error.ts";

/** Upstreams by name, each as what it is known by. */
export type UpstreamIdentities = ReadonlyMap<string, string>;

/** A choice of places, which may come into force. */
export type PlaceMap = ReadonlyMap<string, number>;

/** The places that are taken. */
export class Places {
  #inForce = new Map<string, { readonly place: number; readonly identity: string }>();

  /** Chooses places; nothing is changed. Throws an OperationError where there are too many. */
  choose(wanted: UpstreamIdentities, health: Pick<UpstreamHealth, "connections">): PlaceMap {
    const taken = new Set(Array.from(this.#inForce.values(), ({ place }) => place));
    const chosen = new Map<string, number>();
    for (const [name, identity] of wanted) {
      const own = this.#inForce.get(name);
      let place = own !== undefined && own.identity === identity ? own.place : 0;
      if (own === undefined || own.identity !== identity) {
        while (place < MOST_UPSTREAMS && (taken.has(place) || health.connections(place) > 0)) place++;
      }
      if (place >= MOST_UPSTREAMS) throw tooMany();
      taken.add(place);
      chosen.set(name, place);
    }
    return chosen;
  }

  /** Takes a choice over. Returns the places that are somebody else's from now on. */
  adopt(wanted: UpstreamIdentities, chosen: PlaceMap): number[] {
    const before = new Set(Array.from(this.#inForce.values(), ({ place }) => place));
    this.#inForce = new Map(
      Array.from(wanted, ([name, identity]) => [name, { place: chosen.get(name)!, identity }]),
    );
    return [...chosen.values()].filter((place) => !before.has(place));
  }
}

function tooMany(): OperationError {
  return new OperationError({
    operation: "keep the state of",
    object: "upstreams",
    reason: `there are more than ${MOST_UPSTREAMS}, those before the reload included`,
    hint: "Use fewer, or restart the proxy",
    usage: true,
  });
}
