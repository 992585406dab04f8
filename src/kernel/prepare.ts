/**
 * A loaded config and this machine as a plan.
 * @module
 */
import type { LoadedConfig } from "../config/load.ts";
import { openNetlink } from "../netlink/transport.ts";
import type { Plan } from "./plan/model.ts";
import { readNetwork } from "./network.ts";
import { planInstall } from "./plan/plan.ts";

/**
 * Reads the machine and plans; changes nothing and needs no privilege. `absentInterfaces`: named ones need
 * not be there yet.
 */
export function preparePlan(
  loaded: LoadedConfig,
  readTextFile: (path: string) => string,
  options: { readonly absentInterfaces?: boolean } = {},
): Plan {
  using connection = openNetlink("route");
  const view = readNetwork({ connection, readTextFile }, loaded.config.kernel.table);
  const familiesNamed = loaded.locate(["intercept", "families"]) !== undefined;
  return planInstall(loaded.config, view, { ...options, familiesNamed });
}
