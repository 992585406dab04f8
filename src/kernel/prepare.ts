/**
 * A loaded config and this machine as a plan.
 * @module
 */
import type { LoadedConfig } from "../config/load.ts";
import { openNetlink } from "../netlink/transport.ts";
import { backendOf } from "./backends.ts";
import { readNetwork } from "./network.ts";
import type { Plan } from "./plan/model.ts";
import { planInstall, type PlanOptions } from "./plan/plan.ts";
import type { NetworkView } from "./plan/view.ts";

/**
 * Reads the machine and plans; changes nothing and needs no privilege. Throws an OperationError where no plan
 * can be made.
 */
export function preparePlan(
  loaded: LoadedConfig,
  readTextFile: (path: string) => string,
  options: Pick<PlanOptions, "absentInterfaces"> = {},
): Plan {
  using connection = openNetlink("route");
  return planFor(loaded, readNetwork({ connection, readTextFile }, loaded.config.kernel.table), options);
}

/**
 * Plans for a machine, with the warnings of the backend. Throws an OperationError where no plan can be made.
 */
export function planFor(
  { config, locate }: LoadedConfig,
  view: NetworkView,
  options: Pick<PlanOptions, "absentInterfaces"> = {},
): Plan {
  const familiesNamed = locate(["intercept", "families"]) !== undefined;
  const plan = planInstall(config, view, { ...options, familiesNamed });
  return { ...plan, warnings: [...plan.warnings, ...backendOf(config).warnings(plan)] };
}
