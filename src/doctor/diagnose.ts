/**
 * Everything that doctor looks at, for one config.
 * @module
 */
import type { LoadedConfig } from "../config/load.ts";
import { EPERM } from "../net/errno.ts";
import { OperationError } from "../net/error.ts";
import type { NetlinkConnection } from "../netlink/connection.ts";
import { listLinks } from "../netlink/route/link.ts";
import { openNetlink } from "../netlink/transport.ts";
import { backendOf } from "../kernel/backends.ts";
import {
  findPrograms,
  type IptablesPrograms,
  type IptablesVariant,
} from "../kernel/iptables/state/programs.ts";
import { findListeners } from "../kernel/listeners/listeners.ts";
import { compileTable } from "../kernel/nft/compile.ts";
import type { Plan } from "../kernel/plan/model.ts";
import { readNetwork } from "../kernel/network.ts";
import { hasProcfs } from "../kernel/procfs.ts";
import { planFor } from "../kernel/prepare.ts";
import type { NetworkView } from "../kernel/plan/view.ts";
import { judgeBridgeFilter, readBridgeFilter } from "./checks/bridge_filter.ts";
import { judgeDescriptors, readDescriptors, type Room } from "./checks/descriptors.ts";
import type { MachineFiles } from "./machine/files.ts";
import { type Finding, notPermitted, warning, works } from "./finding.ts";
import { judgeForwarding, readForwarding } from "./checks/forwarding.ts";
import { judgeInputChains, readInputChains } from "./checks/input_chains.ts";
import { judgeOnFailure, judgeTableOwner, readTableOwner, type TableOwner } from "./checks/installed.ts";
import {
  holdsInstall,
  type IptablesFacts,
  judgeChains,
  judgePrograms,
  readIptablesFacts,
} from "./checks/installed_iptables.ts";
import { judgeProbes } from "./probes/judge_probes.ts";
import { readKernelBuild } from "./parts/kernel_build.ts";
import { judgeLegacyInput, readLegacyInput } from "./checks/legacy_input.ts";
import { judgePorts, readPorts } from "./checks/listener_port.ts";
import { judgeLoopback } from "./checks/loopback.ts";
import { judgeMarkUsers, readMarkUsers } from "./checks/mark_users.ts";
import { judgeMemory, type MemoryFacts } from "./checks/memory.ts";
import { judgeNetworkd, readNetworkd } from "./checks/networkd.ts";
import type { ProbeOrder } from "./probes/probe_kernel.ts";
import type { ProbeResult } from "./probes/probe.ts";
import { listProcesses } from "./machine/processes.ts";
import type { ProgramPaths } from "./program/cache_room.ts";
import { judgeProgram } from "./program/judge_program.ts";
import { judgeProcfs } from "./program/procfs.ts";
import { judgeReversePath, readReversePath } from "./checks/reverse_path.ts";
import type { Situation } from "./situation.ts";
import { listXtablesNeeds } from "./probes/xtables_parts.ts";

/** What a diagnosis of the kernel needs. */
export interface KernelDiagnosisOptions {
  readonly loaded: LoadedConfig;
  readonly files: MachineFiles;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
  /** uname -r. */
  readonly release: string;
  /** Tries the kernel, in a namespace of its own if it can. */
  readonly probe: (order: Omit<ProbeOrder, "own">) => Promise<readonly ProbeResult[]>;
}

/** What a diagnosis needs. */
export interface DiagnosisOptions extends KernelDiagnosisOptions {
  /** What a proxy with so many descriptors can serve. */
  readonly room: (descriptors: number) => Room;
  /** How many workers a proxy would have, and why. */
  readonly memory: MemoryFacts;
  /** Where this program's own files are. */
  readonly paths: ProgramPaths;
}

/** All findings: of the kernel first, then of this machine. Nothing is changed. */
export async function diagnose(options: DiagnosisOptions): Promise<Finding[]> {
  const { loaded, files, readTextFile } = options;
  using route = openNetlink("route");
  const view = readNetwork({ connection: route, readTextFile }, loaded.config.kernel.table);
  const planned = tryPlan(loaded, view);
  const situation = describeSituation(options, { view, planned, connection: route });
  const kernel = { situation, plan: planned.plan };
  if (!hasProcfs(readTextFile)) {
    // Nothing else of the machine could be read.
    const programs = loaded.config.kernel.backend === "iptables" ? await findPrograms() : [];
    return [judgeProcfs(false), ...await tryKernel(options, { ...kernel, programs })];
  }
  const { owner, iptables, findings } = await lookAtFirewalls(options, situation);
  return [
    ...judgePrograms(iptables, situation),
    ...await tryKernel(options, { ...kernel, programs: iptables.programs }),
    ...judgePlan(planned, situation),
    ...judgeProxy(options, situation),
    ...judgeMemory(options.memory),
    ...judgeLoopback(situation),
    ...judgeForwarding(readForwarding(files), situation),
    ...judgeRouting(options, situation, route),
    ...judgeBridgeFilter(readBridgeFilter(files), situation),
    ...findings,
    ...judgeInstalled(options, situation, owner === "tproxy" || holdsInstall(iptables)),
    ...judgeNetworkd(readNetworkd(files), situation),
  ];
}

/** The findings of the kernel alone: what explains a failure of an install. Nothing is changed. */
export async function diagnoseKernel(options: KernelDiagnosisOptions): Promise<Finding[]> {
  const { loaded, readTextFile } = options;
  using route = openNetlink("route");
  const view = readNetwork({ connection: route, readTextFile }, loaded.config.kernel.table);
  const planned = tryPlan(loaded, view);
  const situation = describeSituation(options, { view, planned, connection: route });
  const programs = loaded.config.kernel.backend === "iptables" ? await findPrograms() : [];
  return await tryKernel(options, { situation, plan: planned.plan, programs });
}

async function tryKernel(
  { loaded, files, release, probe }: KernelDiagnosisOptions,
  { situation, plan, programs }: {
    situation: Situation;
    plan: Plan | undefined;
    programs: readonly IptablesPrograms[];
  },
): Promise<Finding[]> {
  const { families } = situation;
  const xtables = listXtablesNeeds(loaded.config, plan);
  const table = plan && compileTable(plan);
  const results = await probe({ families, xtables, ...table === undefined ? {} : { table } });
  const build = await readKernelBuild(files, release);
  const variant = usedVariant(programs, situation, results);
  const demand = { config: loaded.config, families, xtables, table };
  return judgeProbes({ ...demand, results, build, ...variant });
}

interface Planned {
  readonly plan?: Plan;
  readonly obstacle?: OperationError;
}

function tryPlan(loaded: LoadedConfig, view: NetworkView): Planned {
  // Forwarding has a finding of its own.
  const forwarding = { ipv4: true, ipv6: true };
  let plan: Plan | undefined;
  try {
    plan = planFor(loaded, { ...view, forwarding });
    // Not every backend can say everything.
    backendOf(loaded.config).compile(plan);
    return { plan };
  } catch (error) {
    if (error instanceof OperationError) return { obstacle: error, ...plan === undefined ? {} : { plan } };
    throw error;
  }
}

function describeSituation(
  { loaded, files }: KernelDiagnosisOptions,
  facts: { view: NetworkView; planned: Planned; connection: NetlinkConnection },
): Situation {
  const { config } = loaded;
  const { view, planned } = facts;
  const { interfaces, families } = config.intercept;
  return {
    config,
    families: planned.plan?.families ??
      families.filter((family) => family === "ipv4" || view.ipv6 === "on" || view.ipv6 === "unknown"),
    lan: planned.plan?.lan ?? (interfaces === "auto" ? [] : interfaces),
    others: planned.plan?.others ?? [],
    links: listLinks(facts.connection),
    view,
    processes: listProcesses(files),
  };
}

function judgePlan({ plan, obstacle }: Planned, { lan, families }: Situation): Finding[] {
  const id = "plan";
  if (plan === undefined || obstacle !== undefined) {
    const { operation, object, reason, hint } = obstacle!;
    const cause = `Cannot ${operation} "${object}": ${reason}`;
    return [warning(id, { what: "an install with this config", blocks: true, cause, remedy: hint })];
  }
  const what = `an install would intercept ${families.join(" and ")} on ${lan.join(", ")}`;
  if (plan.warnings.length === 0) return [works(id, what)];
  return plan.warnings.map((cause) =>
    warning(id, { what, cause, remedy: "See intercept.interfaces and intercept.families in the config" })
  );
}

/** The listener's port, and the descriptors of who listens there. */
function judgeProxy({ files, room, paths }: DiagnosisOptions, situation: Situation): Finding[] {
  const ports = readPorts(files, situation);
  const holders = ports.flatMap((port) => port.holders);
  return [
    ...judgePorts(ports),
    ...judgeDescriptors(readDescriptors(files, holders), situation, room),
    ...judgeProgram(files, holders, paths),
  ];
}

function judgeRouting(
  { files }: DiagnosisOptions,
  situation: Situation,
  route: NetlinkConnection,
): Finding[] {
  const marks = readMarkUsers(route);
  const interfaces = [...situation.lan, ...situation.others];
  return [
    ...judgeReversePath(readReversePath(files, interfaces), marks, situation),
    ...judgeMarkUsers(marks, situation),
  ];
}

/** What the firewalls hold. */
interface Firewalls {
  readonly owner: TableOwner;
  readonly iptables: IptablesFacts;
  readonly findings: readonly Finding[];
}

/** What is in nf_tables and iptables; only root may look. A kernel without nf_tables has a finding of that already. */
async function lookAtFirewalls(
  { files, readTextFile }: DiagnosisOptions,
  situation: Situation,
): Promise<Firewalls> {
  const findings: Finding[] = [];
  let owner: TableOwner = "nobody";
  let iptables: IptablesFacts;
  const netfilter = openNetfilter();
  try {
    if (netfilter !== undefined) {
      owner = readTableOwner(netfilter);
      findings.push(judgeTableOwner(owner), ...judgeInputChains(readInputChains(netfilter), situation));
    }
    iptables = await readIptablesFacts({ netfilter, readTextFile });
    findings.push(...judgeChains(iptables, owner, situation));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    iptables = await readIptablesFacts({ netfilter: undefined, readTextFile: () => "" });
    if (error.code === "EPERM") {
      const what = "firewall and installed tables";
      findings.push(notPermitted("input-chains", { what, errno: error.errno, blocks: false }));
    }
  } finally {
    netfilter?.close();
  }
  return { owner, iptables, findings: [...findings, ...judgeLegacyInput(readLegacyInput(files), situation)] };
}

function openNetfilter(): NetlinkConnection | undefined {
  try {
    return openNetlink("netfilter");
  } catch (error) {
    if (error instanceof OperationError) return undefined;
    throw error;
  }
}

/** What iptables-legacy can do does not help where an install would use iptables-nft. */
function usedVariant(
  programs: readonly IptablesPrograms[],
  { config }: Situation,
  results: readonly ProbeResult[],
): { variant?: IptablesVariant } {
  if (config.kernel.backend !== "iptables") return {};
  const lacking = results.some(({ id, works, errno }) => id === "nf-tables" && !works && errno !== EPERM);
  const used = programs.find(({ variant }) => variant === "legacy" || !lacking) ?? programs.at(0);
  return used === undefined ? {} : { variant: used.variant };
}

function judgeInstalled(
  { readTextFile }: DiagnosisOptions,
  situation: Situation,
  installed: boolean,
): Finding[] {
  const { config, families } = situation;
  const { protocols } = config.intercept;
  const listeners = findListeners({ protocols, families, port: config.listener.port, readTextFile });
  return judgeOnFailure({ installed, listeners }, situation);
}
