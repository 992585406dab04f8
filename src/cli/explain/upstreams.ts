/**
 * The upstreams of a flow, as a running proxy sees them. Pure.
 * @module
 */
/** The state of an upstream; `unknown`: no proxy tells. */
export interface UpstreamState {
  readonly name: string;
  readonly state: "up" | "down" | "refused" | "unknown";
  /** The reason why it is not up; empty: none. */
  readonly reason: string;
  /** Connections through it when the proxy last told; null: none tells. */
  readonly connections: number | null;
}

/** The report of a proxy, as far as it tells of upstreams. */
export interface UpstreamReport {
  readonly pid: number;
  readonly upstreams?: readonly UpstreamState[];
}

/** The states of upstreams, in their order. */
export function statesOf(names: readonly string[], report: UpstreamReport | undefined): UpstreamState[] {
  return names.map((name) => {
    const found = report?.upstreams?.find((known) => known.name === name);
    return found === undefined
      ? { name, state: "unknown", reason: "", connections: null }
      : { name, state: found.state, reason: found.reason, connections: found.connections };
  });
}

/** Tells that it takes no flows, as a proxy says. */
export function isDown({ state }: UpstreamState): boolean {
  return state === "down" || state === "refused";
}

/** `office (up), parent (down: connection refused)`. */
export function wordStates(states: readonly UpstreamState[]): string {
  return states.map(({ name, state, reason }) =>
    state === "unknown" ? name : `${name} (${state}${reason === "" ? "" : `: ${reason}`})`
  ).join(", then ");
}
