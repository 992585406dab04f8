/**
 * The parts of the kernel that this config needs: each is tried.
 * @module
 */
import type { IptablesPrograms, IptablesVariant } from "../../kernel/iptables/state/programs.ts";
import { compileTable } from "../../kernel/nft/chains.ts";
import { EPERM } from "../../net/errno.ts";
import type { Check } from "../check.ts";
import type { DiagnosedKernel } from "../machine/machine.ts";
import { readKernelBuild } from "../parts/kernel_build.ts";
import { judgeProbes, type ProbeEvidence } from "../probes/judge_probes.ts";
import type { ProbeResult } from "../probes/probe.ts";
import { listXtablesNeeds } from "../probes/xtables_parts.ts";
import type { Situation } from "../situation.ts";

/** The check. */
export const kernel: Check<ProbeEvidence, DiagnosedKernel> = {
  id: "kernel",
  withoutProcfs: true,
  read: readKernel,
  judge: judgeProbes,
};

async function readKernel(
  { files, release, probe, programs }: DiagnosedKernel,
  { config, families, planned: { plan } }: Situation,
): Promise<ProbeEvidence> {
  const found = config.kernel.backend === "iptables" ? await programs() : [];
  const xtables = listXtablesNeeds(config, plan);
  const table = plan && compileTable(plan);
  const results = await probe({ families, xtables, ...table === undefined ? {} : { table } });
  const build = await readKernelBuild(files, release);
  return { config, families, xtables, table, results, build, ...chooseVariant(found, results) };
}

/** Chooses the kind of iptables that an install would use: what the other can do does not help. */
function chooseVariant(
  programs: readonly IptablesPrograms[],
  results: readonly ProbeResult[],
): { variant?: IptablesVariant } {
  const lacking = results.some(({ id, works, errno }) => id === "nf-tables" && !works && errno !== EPERM);
  const used = programs.find(({ variant }) => variant === "legacy" || !lacking) ?? programs.at(0);
  return used === undefined ? {} : { variant: used.variant };
}
