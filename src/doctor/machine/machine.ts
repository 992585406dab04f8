/**
 * The machine, as checks read it.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import { findPrograms, type IptablesPrograms } from "../../kernel/iptables/state/programs.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import type { ProbeResult } from "../probes/probe.ts";
import type { ProbeOrder } from "../probes/probe_kernel.ts";
import type { Situation } from "../situation.ts";
import type { MachineFiles } from "./files.ts";
import { type FirewallFacts, readFirewalls } from "./firewalls.ts";
import { type PortFacts, readPorts } from "./ports.ts";
import type { MemoryFacts, ProgramPaths, Room } from "./program.ts";
import { readRouting, type RoutingFacts } from "./routing.ts";

/** The tools of a diagnosis of the kernel. */
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

/** The tools of a whole diagnosis, and what the command line knows of this program. */
export interface DiagnosisOptions extends KernelDiagnosisOptions {
  /** Tells the load that a proxy with so many descriptors can serve. */
  readonly room: (descriptors: number) => Room;
  /** Workers of a proxy, and why there are so many. */
  readonly memory: MemoryFacts;
  /** Places of this program's own files. */
  readonly paths: ProgramPaths;
}

/** Readings that several checks share. Each is made once, when a check first asks for it. */
export interface SharedReadings {
  /** Finds the programs of iptables. */
  readonly programs: () => Promise<readonly IptablesPrograms[]>;
  /** Tries the listener's ports. */
  readonly ports: () => readonly PortFacts[];
  /** Reads other programs' policy routing. */
  readonly routing: () => RoutingFacts;
  /** Reads nf_tables and iptables. */
  readonly firewalls: () => Promise<FirewallFacts>;
}

/** The part of a machine that the check of the kernel reads. */
export interface DiagnosedKernel extends KernelDiagnosisOptions, SharedReadings {}

/** Everything that checks may read. */
export interface DiagnosedMachine extends DiagnosisOptions, SharedReadings {}

/** Prepares the readings that are shared; nothing is read yet. */
export function shareReadings(
  { files, readTextFile }: KernelDiagnosisOptions,
  situation: Situation,
  route: NetlinkConnection,
): SharedReadings {
  const programs = once(findPrograms);
  return {
    programs,
    ports: once(() => readPorts(files, situation)),
    routing: once(() => readRouting(route)),
    firewalls: once(() => readFirewalls({ files, readTextFile, programs })),
  };
}

function once<T>(read: () => T): () => T {
  let answer: { readonly value: T } | undefined;
  return () => (answer ??= { value: read() }).value;
}
