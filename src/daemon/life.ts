/**
 * How the rules learn that a proxy runs: those of iptables must be told, and those of nf_tables for the router's own traffic.
 * @module
 */
import type { Config } from "../config/types.ts";
import { showLife, showLifeOnce, type SignOfLife } from "../kernel/liveness/recent_sign.ts";
import { showRunning, showRunningOnce } from "../kernel/liveness/datagram_sign.ts";
import type { Logger } from "../log.ts";
import type { Family } from "../net/ip.ts";

/** A proxy that shows itself, over and over. */
export interface Life extends SignOfLife {
  /** Shows itself at once, to rules that have just been made. */
  again(): void;
}

/** Begins to show that a proxy runs, where the rules ask for it. Throws an OperationError if it cannot. */
export function beginLife(config: Config, families: readonly Family[], log: Logger): Life {
  if (config.kernel.backend === "netlink") {
    if (!config.intercept.routerTraffic) return { again: () => {}, end: () => {} };
    const sign = showRunning({ config, families });
    return { again: () => showRunningOnce({ config, families }), end: () => sign.end() };
  }
  const sign = showLife(families, (reason) => {
    log.warn("the rules of iptables cannot be told that a proxy runs: intercept.on-failure applies", {
      reason,
    });
  });
  return { again: () => showLifeOnce(families), end: () => sign.end() };
}
