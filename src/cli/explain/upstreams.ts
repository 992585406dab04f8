/**
 * The upstreams of a flow, as a running proxy sees them, and the one that a new flow takes: chosen by the
 * choice of the data plane. Pure.
 * @module
 */
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import type { Config } from "../../config/types.ts";
import type { UpstreamStatus } from "../../daemon/upstreams/status.ts";
import { MemberChoice, NO_MEMBER } from "../../dataplane/upstream/choice.ts";
import { DOWN, UP } from "../../dataplane/upstream/health.ts";
import type { IpAddress } from "../../net/ip.ts";
import type { PolicyAnswer } from "./policy_answer.ts";

/** The state of an upstream; `unknown`: no proxy tells. */
export interface UpstreamState {
  readonly name: string;
  readonly state: UpstreamStatus["state"] | "unknown";
  /** The reason why it takes no flows; empty: none. */
  readonly reason: string;
  /** Connections through it; null: no proxy tells. */
  readonly connections: number | null;
}

/** The upstream that a flow takes if it begins now. */
export interface UpstreamChoice {
  /** Null: none can take it. */
  readonly upstream: string | null;
  readonly why: string;
}

/** The report of a proxy, as far as it tells of upstreams. */
export interface UpstreamReport {
  readonly pid: number;
  readonly upstreams?: readonly Omit<UpstreamStatus, "since">[];
}

/** Facts of a choice. */
export interface ChoiceFacts {
  readonly policy: Pick<PolicyAnswer, "upstreams" | "strategy">;
  readonly config: Pick<Config, "upstreams">;
  readonly report: UpstreamReport | undefined;
  readonly client: IpAddress;
}

/** The reason why one that is up takes no flow. */
const UNRESOLVED = "its name has no address";

/** The upstreams that can carry a flow, in their order. */
export function statesOf({ policy, config, report }: Omit<ChoiceFacts, "client">): UpstreamState[] {
  return policy.upstreams.map((name) => {
    const found = report?.upstreams?.find((known) => known.name === name);
    if (found === undefined) return { name, state: "unknown", reason: "", connections: null };
    const { state, reason, connections, addresses } = found;
    const isThere = addresses.length > 0 || config.upstreams[name].type === "direct";
    return { name, state, reason: state === "up" && !isThere ? UNRESOLVED : reason, connections };
  });
}

/** Chooses among them; what no proxy tells of is taken for up. Null: the flow goes to no upstream. */
export function chooseUpstream(
  { policy, config, client }: ChoiceFacts,
  states: readonly UpstreamState[],
): UpstreamChoice | null {
  const { strategy } = policy;
  if (strategy === null) return null;
  const health = {
    state: (place: number) => ["up", "unknown"].includes(states[place].state) ? UP : DOWN,
    connections: (place: number) => states[place].connections ?? 0,
  };
  const members = states.map(({ name, reason }, place) => ({
    name,
    place,
    addresses: { length: reason === UNRESOLVED ? 0 : 1 },
    protocol: config.upstreams[name],
  }));
  const from = makeSockaddr();
  writeSockaddr(from, { address: client, port: 0 });
  const chosen = new MemberChoice(health, members, strategy).choose(from, 0);
  if (chosen === NO_MEMBER) return { upstream: null, why: "none is up" };
  const doubt = states.some(({ state }) => state === "unknown") ? " (no proxy tells of all of them)" : "";
  return { upstream: states[chosen].name, why: wordStrategy(strategy, health.connections(chosen)) + doubt };
}

function wordStrategy(strategy: NonNullable<PolicyAnswer["strategy"]>, connections: number): string {
  switch (strategy) {
    case "failover":
      return "the first that is up";
    case "least-connections":
      return `the first with the fewest connections (${connections})`;
    case "hash":
      return "by the hash of the client's address";
    default:
      return strategy satisfies never;
  }
}

/** `office (up), then parent (down: connection refused)`. */
export function wordStates(states: readonly UpstreamState[], strategy: PolicyAnswer["strategy"]): string {
  return states.map(({ name, state, reason, connections }) => {
    const counted = strategy === "least-connections" ? `, ${connections} connections` : "";
    return state === "unknown" ? name : `${name} (${state}${counted}${reason === "" ? "" : `: ${reason}`})`;
  }).join(strategy === "failover" ? ", then " : ", ");
}
