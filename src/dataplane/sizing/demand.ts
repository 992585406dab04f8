/**
 * States what a config asks of a process' descriptors. Pure.
 * @module
 */
import type { InterceptConfig, LimitsConfig } from "../../config/types.ts";
import { type Capacity, capacity, type Demand } from "./limits.ts";

/** The part of a config that decides how many descriptors are wanted. */
export interface DemandConfig {
  readonly intercept: Pick<InterceptConfig, "protocols">;
  readonly limits: Pick<LimitsConfig, "connections" | "udpSessions">;
}

/** The part of a demand that a config decides; the rest is the machine's. */
export type ConfigDemand = Pick<Demand, "connections" | "udpSessions">;

/** Returns what a config asks for: nothing for a protocol that is not intercepted. */
export function demandOf({ intercept: { protocols }, limits }: DemandConfig): ConfigDemand {
  return {
    connections: protocols.includes("tcp") ? limits.connections : null,
    udpSessions: protocols.includes("udp") ? limits.udpSessions : null,
  };
}

/** Returns what a proxy with this config could serve at most, whatever `limits.connections` says. */
export function largestCapacity(
  config: DemandConfig,
  machine: Pick<Demand, "descriptors" | "workers">,
): Capacity {
  const { connections, udpSessions } = demandOf(config);
  return capacity({ ...machine, connections: connections === null ? null : "auto", udpSessions });
}
