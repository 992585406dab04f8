/**
 * In which families the proxy listens.
 * @module
 */
import type { Config } from "../config/types.ts";
import { readIpv6State } from "../kernel/network.ts";
import { missingProcfs } from "../kernel/machine/procfs.ts";
import { presentFamilies } from "../kernel/plan/families.ts";
import type { Family } from "../net/ip.ts";

/**
 * Those of the config, without IPv6 where this machine has none, unless it is the only one. `readTextFile`
 * throws Deno's errors; an OperationError: /proc is missing.
 */
export function usableFamilies(config: Config, readTextFile: (path: string) => string): readonly Family[] {
  const { families } = config.intercept;
  const ipv6 = readIpv6State(readTextFile);
  // It reads more there: limits, memory, the other programs' ports.
  if (ipv6 === "unknown") throw missingProcfs();
  return families.length === 1 ? families : presentFamilies(families, { ipv6 });
}
