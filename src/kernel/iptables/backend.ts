/**
 * The backend iptables: chains of our own, made by the programs of iptables.
 * @module
 */
import type { Backend, Compiled, FoundInstall } from "../backend/backend.ts";
import { RecentLife } from "../liveness/recent_sign.ts";
import type { Machine } from "../machine/machine.ts";
import { foreignObject, refuseOthers } from "../backend/other_installs.ts";
import type { Plan } from "../plan/model.ts";
import { planIptables } from "./compile/plan.ts";
import { warnLongLists } from "./long_lists.ts";
import { applyIptablesInstall } from "./install.ts";
import { describeIptablesFailure } from "./on_failure.ts";
import { renderIptablesScript } from "./script.ts";
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
  name: "iptables",
  format: "iptables",
  needsRoot: true,
  compile,
  warnings: ({ intent }) => warnLongLists(intent.scope.ruleSets),
  describeFailure: describeIptablesFailure,
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

function compile(plan: Plan): Compiled {
  const rules = planIptables(plan);
  return {
    async install(machine, backends) {
      const { programs, others } = await choosePrograms(machine);
      refuseOthers(backends, "iptables");
      refuseOthers(await findKinds(others, machine), `iptables (${programs.version})`);
      return await applyIptablesInstall(plan, rules, { ...machine, programs });
    },
    async compare(machine, backends) {
      const { programs, others } = await choosePrograms(machine);
      const kinds = await findKinds(others, machine);
      const { tables } = await readIptables(programs, machine);
      const objects = [...compareIptables(rules, tables), ...[...backends, ...kinds].map(foreignObject)];
      return { objects, place: programs.version };
    },
    script: ({ origin }) => renderIptablesScript(plan, { origin, iptables: rules }),
    document: { iptables: rules },
  };
}

/** Finds those kinds of iptables that hold an install of ours. */
async function findKinds(kinds: readonly IptablesPrograms[], machine: Machine): Promise<FoundInstall[]> {
  return (await findInstalled(kinds, machine)).map((installed) => {
    const name = describeInstalled(installed);
    return { name, words: name };
  });
}
