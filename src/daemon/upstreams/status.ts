/**
 * Upstreams and groups as `tproxy status` shows them. Pure.
 * @module
 */
import type { Config } from "../../config/types.ts";
import type { WhenDown } from "../../config/upstreams/types.ts";

/** The state of an upstream. */
export interface UpstreamStatus {
  readonly name: string;
  readonly state: "up" | "down" | "refused";
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Reason why it is not up. */
  readonly reason: string;
  /** Connections through it. */
  readonly connections: number;
  readonly addresses: readonly string[];
}

/** The state of a group. */
export interface GroupStatus {
  readonly name: string;
  readonly strategy: string;
  /** Members that new flows may be led to; with `failover` the first alone. */
  readonly inUse: readonly string[];
  /** Fate of flows when none is up. */
  readonly whenDown: WhenDown;
}

/** Finds the members that groups use. */
export function describeGroups({ groups }: Config, upstreams: readonly UpstreamStatus[]): GroupStatus[] {
  return Object.entries(groups).map(([name, { members, strategy, whenDown }]) => {
    const up = members.filter((member) => upstreams.some((own) => own.name === member && own.state === "up"));
    return { name, strategy, inUse: strategy === "failover" ? up.slice(0, 1) : up, whenDown };
  });
}
