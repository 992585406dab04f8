/**
 * Install, uninstall and status with the backend that the config names. The rules of two backends are never mixed.
 * @module
 */
import type { Config } from "../config/types.ts";
import { TABLE_NAME } from "../constants.ts";
import { OperationError } from "../net/error.ts";
import type { NetlinkConnection } from "../netlink/connection.ts";
import { openNetlink } from "../netlink/transport.ts";
import { withKernel } from "./connections.ts";
import { applyInstall, applyRouting, type InstallReport } from "./install.ts";
import { applyIptablesInstall } from "./iptables/install.ts";
import { planIptables } from "./iptables/compile/plan.ts";
import {
  findPrograms,
  type IptablesPrograms,
  missingProgram,
  PACKAGES_HINT,
} from "./iptables/state/programs.ts";
import {
  describeInstalled,
  findInstalled,
  hasOurLists,
  type InstalledIptables,
  isInstalled,
  mayHoldAny,
  readIptables,
  type StateSource,
} from "./iptables/state/state.ts";
import { compareIptables } from "./iptables/state/status.ts";
import { removeIptables } from "./iptables/uninstall.ts";
import { removeUnreadable } from "./iptables/state/unreadable.ts";
import type { Plan } from "./plan/model.ts";
import { readRouting } from "./routing/state.ts";
import { isOurTable, isWithoutNfTables, readTable } from "./nft/state.ts";
import { compareRoutingState, compareTable, type ObjectStatus } from "./status.ts";
import { applyUninstall, readTableIfPossible, type UninstallReport } from "./uninstall.ts";

/** A plan, and the config that it is of. */
export interface Wanted {
  readonly plan: Plan;
  readonly config: Config;
}

/** Throws Deno's errors. */
export type ReadTextFile = (path: string) => string;

/** What an install found and did, and with what. */
export interface BackendReport extends InstallReport {
  /** In what the rules are, in words. */
  readonly place: string;
}

/** Makes the kernel's state that of the plan. Throws an OperationError; then what was there before is there again. */
export async function installWithBackend(
  { plan, config }: Wanted,
  readTextFile: ReadTextFile,
): Promise<BackendReport> {
  return await withMachine(readTextFile, async (machine) => {
    if (config.kernel.backend === "netlink") {
      refuseOthers(await findOurs(machine), "netlink");
      const report = withKernel((connections) => applyInstall(plan, connections));
      return { ...report, place: `table inet ${TABLE_NAME}` };
    }
    const all = await findPrograms();
    const programs = choosePrograms(all, machine);
    refuseOurTable(machine);
    const others = all.filter((other) => other !== programs);
    refuseOthers(await findInstalled(others, machine), `iptables (${programs.version})`);
    const report = await applyIptablesInstall(plan, { ...machine, programs });
    return { ...report, place: `chains TPROXY_… of ${programs.version}` };
  });
}

/** Makes policy routing alone that of the plan, whose table is there: it is the same for both backends. */
export function adjustRouting(plan: Plan): void {
  using route = openNetlink("route");
  applyRouting(plan, route);
}

/** Removes what an install has made, with whatever backend; fine when nothing is there. */
export async function uninstallAll(readTextFile: ReadTextFile): Promise<UninstallReport> {
  return await withMachine(readTextFile, async (machine) => {
    const removed = await removeFromIptables(machine);
    // With the routes last, so that no packet is marked that nobody delivers.
    const report = applyUninstall(machine);
    return { ...report, removed: [...removed, ...report.removed] };
  });
}

/** With the programs of iptables; without them where those are not here, or cannot read the tables. */
async function removeFromIptables(machine: Machine): Promise<string[]> {
  if (!mayHoldAny(machine)) return [];
  const removed: string[] = [];
  const all = await findPrograms();
  for (const programs of all) {
    try {
      const installed = await readIptables(programs, machine);
      if (isInstalled(installed)) removed.push(...await removeIptables(installed, machine));
    } catch (error) {
      if (!(error instanceof OperationError) || programs.variant === "legacy") throw error;
    }
  }
  if (machine.netfilter !== undefined) removed.push(...removeUnreadable(machine.netfilter));
  // Before the routes go, without which what the rules mark would get nowhere.
  const shown = removed.length > 0 || all.some(({ variant }) => variant === "legacy");
  if (!shown && hasOurLists(machine)) throw missingProgram("iptables-legacy");
  return removed;
}

/** What the status of the backend is about. */
export interface BackendStatus {
  readonly objects: readonly ObjectStatus[];
  /** In what the rules are, in words. */
  readonly place: string;
}

/** Every object that the plan wants, and what is there of the other backend. */
export async function readStatus(
  { plan, config }: Wanted,
  readTextFile: ReadTextFile,
): Promise<BackendStatus> {
  return await withMachine(readTextFile, async (machine) => {
    const routing = compareRoutingState(plan, readRouting(machine.route));
    if (config.kernel.backend === "netlink") {
      const table = withKernel(({ netfilter }) => readTable(netfilter));
      const objects = [
        ...compareTable(plan, table),
        ...(await findOurs(machine)).map(toForeign),
        ...routing,
      ];
      return { objects, place: `table inet ${TABLE_NAME}` };
    }
    const all = await findPrograms();
    const programs = choosePrograms(all, machine);
    const others = await findInstalled(all.filter((other) => other !== programs), machine);
    const { tables } = await readIptables(programs, machine);
    const objects = [
      ...compareIptables(planIptables(plan), tables),
      ...(hasOurTable(machine) ? [foreignObject(`inet ${TABLE_NAME}`)] : []),
      ...others.map(toForeign),
      ...routing,
    ];
    return { objects, place: programs.version };
  });
}

type Machine = StateSource & { readonly route: NetlinkConnection };

/** Opens what the kernel has: one without nf_tables may have no nfnetlink either. */
async function withMachine<T>(
  readTextFile: ReadTextFile,
  work: (machine: Machine) => Promise<T>,
): Promise<T> {
  using route = openNetlink("route");
  const netfilter = openNetfilterIfPossible();
  try {
    return await work({ route, netfilter, readTextFile });
  } finally {
    netfilter?.close();
  }
}

function openNetfilterIfPossible(): NetlinkConnection | undefined {
  try {
    return openNetlink("netfilter");
  } catch (error) {
    if (error instanceof OperationError && isWithoutNfTables(error)) return undefined;
    throw error;
  }
}

/** What iptables holds of ours; no program is run where it is certain that there is nothing. */
async function findOurs(machine: Machine): Promise<InstalledIptables[]> {
  return mayHoldAny(machine) ? await findInstalled(await findPrograms(), machine) : [];
}

/** The one of the plain name; where it is iptables-nft and the kernel has no nf_tables, iptables-legacy. */
function choosePrograms(all: readonly IptablesPrograms[], { netfilter }: Machine): IptablesPrograms {
  const usable = all.filter(({ variant }) => variant === "legacy" || hasNfTables(netfilter));
  if (usable.length > 0) return usable[0];
  throw new OperationError({
    operation: "use backend",
    object: "iptables",
    reason: all.length === 0
      ? "there is no program iptables"
      : `this kernel has no nf_tables, which ${
        all[0].version
      } needs, and there is no program iptables-legacy`,
    hint: PACKAGES_HINT,
  });
}

function hasNfTables(netfilter: NetlinkConnection | undefined): boolean {
  if (netfilter === undefined) return false;
  try {
    readTable(netfilter);
    return true;
  } catch (error) {
    if (error instanceof OperationError && isWithoutNfTables(error)) return false;
    throw error;
  }
}

function hasOurTable({ netfilter }: Machine): boolean {
  const table = netfilter && readTableIfPossible(netfilter);
  return table !== undefined && isOurTable(table);
}

function refuseOurTable(machine: Machine): void {
  if (hasOurTable(machine)) throw mixed("iptables", `the table inet ${TABLE_NAME} of the backend netlink`);
}

function refuseOthers(installed: readonly InstalledIptables[], backend: string): void {
  if (installed.length > 0) throw mixed(backend, installed.map(describeInstalled).join(", "));
}

function mixed(backend: string, there: string): OperationError {
  return new OperationError({
    operation: "install with backend",
    object: backend,
    reason: `an earlier install is there: ${there}`,
    hint: 'Run "tproxy uninstall" first; clients are not intercepted in between',
  });
}

function toForeign(installed: InstalledIptables): ObjectStatus {
  return foreignObject(describeInstalled(installed));
}

function foreignObject(name: string): ObjectStatus {
  return { kind: "table", name, state: "foreign", detail: "of an install with another backend" };
}
