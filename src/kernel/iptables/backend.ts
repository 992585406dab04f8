/**
 * The backend iptables: chains of our own, made by the programs of iptables.
 * @module
 */
import type { Backend, FoundInstall } from "../backend/backend.ts";
import { RecentLife } from "../liveness/recent_sign.ts";
import type { Machine } from "../machine/machine.ts";
import { foreignObject, refuseOthers } from "../backend/other_installs.ts";
import { compileIptables } from "./compile/compile.ts";
import { CHAIN_PREFIX } from "./compile/model.ts";
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
import { readGates } from "./trial/gate.ts";
import { tablesInForce } from "./trial/generations.ts";
import { applyIptablesTrial, keepIptablesTrial, removeIptablesTrial } from "./trial/trials.ts";
import { removeAllIptables } from "./uninstall.ts";
import { refuseDuringTrial } from "../trial/refusal.ts";

/** See the module. */
export const IPTABLES_BACKEND: Backend = {
  ...IPTABLES_COMPILER,
  async install(plan, machine, backends) {
    const rules = compileIptables(plan);
    const programs = await chooseAlone(machine, backends);
    refuseDuringTrial(readGates(), `chains ${CHAIN_PREFIX}…`);
    return await applyIptablesInstall(plan, rules, { ...machine, programs });
  },
  trials: {
    async begin(plan, { machine, others }, timeoutMs) {
      const rules = compileIptables(plan);
      const programs = await chooseAlone(machine, others);
      refuseDuringTrial(readGates(), `chains ${CHAIN_PREFIX}…`);
      return await applyIptablesTrial(plan, rules, { ...machine, programs }, timeoutMs);
    },
    async keep(plan, machine) {
      const { programs } = await choosePrograms(machine);
      return await keepIptablesTrial(plan, compileIptables(plan), { ...machine, programs });
    },
    left: readGates,
    async remove(machine) {
      if (readGates() === undefined) return false;
      let found = false;
      for (const programs of await findPrograms()) {
        if (await removeIptablesTrial({ ...machine, programs })) found = true;
      }
      return found;
    },
  },
  async compare(plan, machine) {
    const rules = compileIptables(plan);
    const { programs, others } = await choosePrograms(machine);
    const kinds = await findKinds(others, machine);
    const { tables: all } = await readIptables(programs, machine);
    const onTrial = (readGates() ?? 0) > 0;
    const tables = {
      ipv4: tablesInForce(all.ipv4, { onTrial }),
      ipv6: tablesInForce(all.ipv6, { onTrial }),
    };
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

/** Chooses the programs, where no other kind of iptables and no other backend holds an install of ours. */
async function chooseAlone(machine: Machine, backends: readonly FoundInstall[]): Promise<IptablesPrograms> {
  const { programs, others } = await choosePrograms(machine);
  refuseOthers(backends, IPTABLES_COMPILER.name);
  refuseOthers(await findKinds(others, machine), `iptables (${programs.version})`);
  return programs;
}

/** Finds those kinds of iptables that hold an install of ours. */
async function findKinds(kinds: readonly IptablesPrograms[], machine: Machine): Promise<FoundInstall[]> {
  return (await findInstalled(kinds, machine)).map((installed) => {
    const name = describeInstalled(installed);
    return { name, words: name };
  });
}
