/**
 * The backend iptables: chains of our own, made by the programs of iptables.
 * @module
 */
import type { Backend, FoundInstall } from "../backend/backend.ts";
import { RecentLife } from "../liveness/recent_sign.ts";
import type { Machine } from "../machine/machine.ts";
import { foreignObject, refuseOthers } from "../backend/other_installs.ts";
import { compileIptables } from "./compile/compile.ts";
import { IPTABLES_COMPILER } from "./compiler.ts";
import { applyIptablesInstall } from "./install.ts";
import { choosePrograms } from "./state/choose.ts";
import { findPrograms, type IptablesPrograms } from "./state/programs.ts";
import {
  describeInstalled,
  findInstalled,
  listIptablesChains,
  mayHoldAny,
  readIptables,
} from "./state/state.ts";
import { compareIptables } from "./state/status.ts";
import { removeAllIptables } from "./uninstall.ts";

/** See the module. */
export const IPTABLES_BACKEND: Backend = {
  ...IPTABLES_COMPILER,
  async install(plan, machine, backends) {
    const rules = compileIptables(plan);
    const { programs, others } = await choosePrograms(machine);
    refuseOthers(backends, IPTABLES_COMPILER.name);
    refuseOthers(await findKinds(others, machine), `iptables (${programs.version})`);
    return await applyIptablesInstall(plan, rules, { ...machine, programs });
  },
  async compare(plan, machine) {
    const rules = compileIptables(plan);
    const { programs, others } = await choosePrograms(machine);
    const kinds = await findKinds(others, machine);
    const { tables } = await readIptables(programs, machine);
    return {
      objects: [...compareIptables(rules, tables), ...kinds.map(foreignObject)],
      place: programs.version,
    };
  },
  find: async (machine) => mayHoldAny(machine) ? await findKinds(await findPrograms(), machine) : [],
  listTraces: listIptablesChains,
  uninstall: async (machine) => ({ removed: await removeAllIptables(machine), left: [] }),
  life: ({ families }, log) =>
    new RecentLife(families, (reason) => {
      log.warn("the rules of iptables cannot be told that a proxy runs: intercept.on-failure applies", {
        reason,
      });
    }),
  rememberLife: ({ families }) => () => new RecentLife(families).once(),
};

/** Finds those kinds of iptables that hold an install of ours. */
async function findKinds(kinds: readonly IptablesPrograms[], machine: Machine): Promise<FoundInstall[]> {
  return (await findInstalled(kinds, machine)).map((installed) => {
    const name = describeInstalled(installed);
    return { name, words: name };
  });
}
