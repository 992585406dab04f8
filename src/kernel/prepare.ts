/**
 * A loaded config and this machine as a plan.
 * @module
 */
import type { LoadedConfig } from "../config/load.ts";
import { openNetlink } from "../netlink/transport.ts";
import { planFor } from "./compilers.ts";
import { type AdmissionInForce, readAdmission, readWatching, warnAdmission } from "./admission.ts";
import { readBringing } from "./bringing.ts";
import { readNetwork } from "./network.ts";
import type { Plan } from "./plan/model.ts";
import type { PlanOptions } from "./plan/plan.ts";

const TAKEN_EARLY: AdmissionInForce = { inForce: "early", reason: "" };

/** Options of such a plan. */
export interface PrepareOptions extends Pick<PlanOptions, "absentInterfaces"> {
  /** Rules are to be made, whatever is installed. Default: the plan is for the install that is there. */
  readonly anew?: boolean;
  /** Rules of iptables are asked for, whatever backend the config names: they take flows early. */
  readonly early?: boolean;
}

/**
 * Reads the machine and plans; changes nothing and needs no privilege. Throws an OperationError where no plan
 * can be made.
 */
export function preparePlan(
  loaded: LoadedConfig,
  readTextFile: (path: string) => string,
  { anew = false, early = false, ...options }: PrepareOptions = {},
): Plan {
  using connection = openNetlink("route");
  const admission = early ? TAKEN_EARLY : readAdmission(loaded.config);
  const view = readNetwork({ connection, readTextFile }, loaded.config.kernel.table);
  const watching = readWatching(loaded.config, admission);
  const plan = planFor(loaded, view, {
    ...options,
    admission: admission.inForce,
    ...watching,
    bringing: readBringing(admission, { installed: !anew }),
  });
  const warning = warnAdmission(admission);
  return warning === undefined ? plan : { ...plan, warnings: [warning, ...plan.warnings] };
}
