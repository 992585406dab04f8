/**
 * Runs the checks of doctor, for one config.
 * @module
 */
import { hasProcfs } from "../kernel/machine/procfs.ts";
import { openNetlink } from "../netlink/transport.ts";
import { kernel } from "./checks/kernel.ts";
import { CHECKS } from "./checks/list.ts";
import type { Check } from "./check.ts";
import { type Finding, works } from "./finding.ts";
import {
  type DiagnosedMachine,
  type DiagnosisOptions,
  type KernelDiagnosisOptions,
  shareReadings,
} from "./machine/machine.ts";
import { readSituation } from "./machine/situation.ts";
import type { Situation } from "./situation.ts";

/** Makes all findings. Nothing is changed. */
export function diagnose(options: DiagnosisOptions): Promise<Finding[]> {
  return runChecks(CHECKS, options);
}

/** Checks that an install has made itself, or says in words of its own. */
const OF_INSTALL = ["procfs", "iptables-programs", "kernel", "plan", "table-name", "on-failure", "memory"];

/** Makes the findings of the machine around an install that has been made: what is in its way. */
export function diagnoseMachine(options: DiagnosisOptions): Promise<Finding[]> {
  return runChecks(CHECKS.filter(({ id }) => !OF_INSTALL.includes(id)), options);
}

async function runChecks(
  checks: readonly Check<unknown>[],
  options: DiagnosisOptions,
): Promise<Finding[]> {
  using route = openNetlink("route");
  const situation = readSituation(options, route);
  const machine: DiagnosedMachine = { ...options, ...shareReadings(options, situation, route) };
  const readable = hasProcfs(options.readTextFile);
  const findings: Finding[] = [];
  for (const check of checks) {
    if (!readable && check.withoutProcfs !== true) continue;
    if (check.ofBrought === true && bringsNothing(situation)) {
      findings.push(works(check.id, "nothing is relayed, so an install has no routing rules"));
      continue;
    }
    findings.push(...check.judge(await check.read(machine, situation), situation));
  }
  return findings;
}

function bringsNothing({ planned: { plan } }: Situation): boolean {
  return plan !== undefined && !plan.intent.scope.brings;
}

/** Makes the findings of the kernel alone: what explains a failure of an install. Nothing is changed. */
export async function diagnoseKernel(options: KernelDiagnosisOptions): Promise<Finding[]> {
  using route = openNetlink("route");
  const situation = readSituation(options, route);
  const machine = { ...options, ...shareReadings(options, situation, route) };
  return kernel.judge(await kernel.read(machine, situation), situation);
}
