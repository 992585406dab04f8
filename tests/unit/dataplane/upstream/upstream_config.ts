/**
 * Configs with upstreams.
 * @module
 */
import { DEFAULT_CONFIG } from "../../../../src/config/defaults.ts";
import type { Config } from "../../../../src/config/types.ts";
import type { UpstreamConfig } from "../../../../src/config/upstreams/types.ts";
import { parseEndpoint } from "../../../../src/net/ip.ts";

/** A server that gets every flow. */
export function forwardConfig(address = "192.0.2.9:8443"): UpstreamConfig {
  return {
    type: "forward",
    address: parseEndpoint(address)!,
    families: ["ipv4", "ipv6"],
    udp: true,
    check: DEFAULT_CONFIG.checks,
    source: "router",
  };
}

/** A config with these parts. */
export function policyConfig(parts: Partial<Config>): Config {
  return { ...DEFAULT_CONFIG, ...parts };
}
