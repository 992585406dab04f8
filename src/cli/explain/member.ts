/**
 * The member of a group that a new flow would be led to, as far as it can be told from outside.
 * @module
 */
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { MemberChoice } from "../../dataplane/upstream/choice.ts";
import { DOWN, UP, UpstreamHealth } from "../../dataplane/upstream/health.ts";
import type { IpAddress } from "../../net/ip.ts";
import type { Route } from "../../policy/routes/route.ts";
import { isDown, type UpstreamState } from "./upstreams.ts";

/** A choice in a group, as `--json` prints it. */
export interface GroupChoice {
  readonly group: string;
  readonly strategy: Route["strategy"];
  /** Null: none is up, or nobody outside of the proxy can tell. */
  readonly member: string | null;
  readonly why: string;
}

/** Chooses as workers do; null: the flow goes to no group. `states`: of those that can carry it. */
export function chooseMember(
  { group, strategy }: Pick<Route, "group" | "strategy">,
  states: readonly UpstreamState[],
  client: IpAddress,
): GroupChoice | null {
  if (group === null) return null;
  const left = states.filter((state) => !isDown(state));
  if (left.length === 0) return { group, strategy, member: null, why: "none is up" };
  // Whoever wins among more than are up wins among those that are up.
  const { name, state } = states[chosenOf(states, strategy, client)];
  const isKnown = state === "up" && (strategy !== "least-connections" || left.length === 1);
  const why = isKnown && left.length === 1 ? "no other is up" : reasonOf(strategy, name, left);
  return { group, strategy, member: isKnown ? name : null, why };
}

function reasonOf(strategy: Route["strategy"], name: string, left: readonly UpstreamState[]): string {
  const isUp = left.some((known) => known.name === name && known.state === "up");
  const unless = isUp ? "" : `; that is ${name}, unless it is down: no proxy tells`;
  switch (strategy) {
    case "failover":
      return `the first that is up${unless}`;
    case "hash":
      return `the one that is up and has this client's address by its hash${unless}`;
    case "least-connections": {
      const counts = left.map(({ name, connections }) => `${name} ${connections ?? "unknown"}`);
      return `the one that is up with the fewest connections, which each flow changes; last told: ${
        counts.join(", ")
      }`;
    }
    default:
      return strategy satisfies never;
  }
}

/** Asks what workers ask. A member that is not known to be down counts as up. */
function chosenOf(states: readonly UpstreamState[], strategy: Route["strategy"], client: IpAddress): number {
  const health = new UpstreamHealth(1);
  states.forEach((state, place) => health.setState(place, isDown(state) ? DOWN : UP));
  const from = makeSockaddr();
  writeSockaddr(from, { address: client, port: 0 });
  const members = states.map(({ name }, place) => ({
    name,
    place,
    addresses: [from],
    protocol: { type: "forward", header: null, source: "router" } as const,
  }));
  return new MemberChoice(health, members, strategy).choose(from, 0);
}
