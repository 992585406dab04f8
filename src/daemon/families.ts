/**
 * In which families the proxy listens.
 * @module
 */
import type { Config } from "../config/types.ts";
import { readIpv6State } from "../kernel/network.ts";
import type { Family } from "../net/ip.ts";

/** Those of the config, without IPv6 where this machine has none, unless it is the only one. `readTextFile` throws Deno's errors. */
export function usableFamilies(config: Config, readTextFile: (path: string) => string): readonly Family[] {
  const { families } = config.intercept;
  if (families.length === 1 || readIpv6State(readTextFile) === "on") return families;
  return families.filter((family) => family === "ipv4");
}
