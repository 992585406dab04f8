/**
 * Install, uninstall and status with the backend that the config names. No other place asks which one it is.
 * @module
 */
import type { Config } from "../config/types.ts";
import { unlessRefused } from "../net/error.ts";
import { openNetlink } from "../netlink/transport.ts";
import type {
  Backend,
  BackendStatus,
  FoundInstall,
  InstallOptions,
  InstallReport,
  Removal,
} from "./backend/backend.ts";
import { foreignObject } from "./backend/other_installs.ts";
import { findLiveTable } from "./live/found.ts";
import { IPTABLES_BACKEND } from "./iptables/backend.ts";
import { type Machine, type ReadTextFile, withMachine } from "./machine/machine.ts";
import { ifNfTables } from "./machine/nf_tables.ts";
import { NFT_BACKEND } from "./nft/backend.ts";
import type { Plan } from "./plan/model.ts";
import { announceUninstall, applyRouting, removeRouting, withdrawUninstall } from "./routing/apply.ts";
import { compareRouting } from "./routing/compare.ts";
import { readRouting } from "./routing/state.ts";
import { isNoted } from "./trial/note.ts";

const BACKENDS: Readonly<Record<Backend["name"], Backend>> = {
  iptables: IPTABLES_BACKEND,
  netlink: NFT_BACKEND,
};
const ALL: readonly Backend[] = Object.values(BACKENDS);

/** A plan, and the config that it is of. */
export interface Wanted {
  readonly plan: Plan;
  readonly config: Config;
}

/** Gives the backend that the config names. */
export function backendOf({ kernel }: Pick<Config, "kernel">): Backend {
  return BACKENDS[kernel.backend];
}

/**
 * Makes the kernel's state that of the plan. Throws an OperationError; then the state before is there again.
 */
export async function install(
  { plan, config }: Wanted,
  readTextFile: ReadTextFile,
  options: InstallOptions = {},
): Promise<InstallReport> {
  const backend = backendOf(config);
  return await withMachine(
    readTextFile,
    async (machine) => await backend.install(plan, machine, await findOthers(backend, machine), options),
  );
}

/**
 * Tells how many milliseconds a trial still lasts, whatever backend it is of; 0: it is over; undefined: none,
 * or it may not be read.
 */
export function trialLeft(): number | undefined {
  return unlessRefused(readTrialLeft);
}

/** The same. Throws an OperationError where it may not be read. */
export function readTrialLeft(): number | undefined {
  for (const { trials } of ALL) {
    const left = trials.left();
    if (left !== undefined) return left;
  }
  return undefined;
}

/** Takes away what is on trial, with whatever backend; gives whether there was something. */
export async function removeTrials(machine: Machine): Promise<boolean> {
  let found = false;
  for (const { trials } of ALL) if (await trials.remove(machine)) found = true;
  return found;
}

/** Makes policy routing alone that of the plan, whose rules are there: it is the same for all backends. */
export function adjustRouting(plan: Plan): void {
  using route = openNetlink("route");
  applyRouting(plan, route);
}

/** Removes what an install has made, with whatever backend; fine when nothing is there. */
export async function uninstall(readTextFile: ReadTextFile): Promise<Removal> {
  return await withMachine(readTextFile, async (machine) => {
    if (mayBeHeard(machine)) announceUninstall(machine.route);
    try {
      const removals: Removal[] = [];
      for (const backend of ALL) removals.push(await backend.uninstall(machine));
      // The routes last, so that no packet is marked that nobody delivers.
      const routing = removeRouting(machine.route);
      return {
        removed: [...removals.flatMap(({ removed }) => removed), ...routing],
        left: removals.flatMap(({ left }) => left),
      };
    } catch (error) {
      withdrawUninstall(machine.route);
      throw error;
    }
  });
}

/**
 * Tells whether a proxy may run. Where none does, and nothing is routed, a routing rule would do harm: from
 * the first one on, and be it there for a moment, the kernel looks into two tables for each packet.
 */
function mayBeHeard({ route, netfilter }: Machine): boolean {
  if (readRouting(route).rules.length > 0) return true;
  return netfilter !== undefined && ifNfTables(() => findLiveTable(netfilter), undefined) === "of a proxy";
}

/** Looks for every object that the plan wants, and for what is there of other backends. */
export async function readStatus(
  { plan, config }: Wanted,
  readTextFile: ReadTextFile,
): Promise<BackendStatus> {
  const backend = backendOf(config);
  return await withMachine(readTextFile, async (machine) => {
    const { objects, place } = await backend.compare(plan, machine);
    const isOfTrial = isNoted() || trialLeft() !== undefined;
    const compared = compareRouting(plan, readRouting(machine.route));
    // While rules are on trial, and until somebody has tidied up, entries of both generations stand.
    const routing = isOfTrial ? compared.filter(({ state }) => state !== "foreign") : compared;
    const others = (await findOthers(backend, machine)).map(foreignObject);
    return { objects: [...objects, ...others, ...routing], place };
  });
}

/** Lists all that has a name of ours in the rules of any backend, a line each. */
export async function listTraces(readTextFile: ReadTextFile): Promise<string[]> {
  return await withMachine(readTextFile, async (machine) => {
    const traces = [];
    for (const backend of ALL) traces.push(...await backend.listTraces(machine));
    return traces;
  });
}

/** Finds all installs, with whatever backend. */
export async function findInstalls(machine: Machine): Promise<FoundInstall[]> {
  const found = [];
  for (const backend of ALL) found.push(...await backend.find(machine));
  return found;
}

/** Finds installs with other backends. */
export async function findOthers(backend: Backend, machine: Machine): Promise<FoundInstall[]> {
  const found = [];
  for (const other of ALL) {
    if (other !== backend) found.push(...await other.find(machine));
  }
  return found;
}
