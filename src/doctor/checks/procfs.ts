/**
 * /proc: most checks of the machine read there. Pure.
 * @module
 */
import { hasProcfs, PROCFS_MISSING } from "../../kernel/machine/procfs.ts";
import type { Check } from "../check.ts";
import { type Finding, warning } from "../finding.ts";
import type { DiagnosedKernel } from "../machine/machine.ts";

/** The check. */
export const procfs: Check<boolean, DiagnosedKernel> = {
  id: "procfs",
  withoutProcfs: true,
  read: ({ readTextFile }) => hasProcfs(readTextFile),
  judge: judgeProcfs,
};

/** Makes a finding where /proc is not mounted. */
export function judgeProcfs(mounted: boolean): Finding[] {
  if (mounted) return [];
  const { reason: cause, hint: remedy } = PROCFS_MISSING;
  return [warning("procfs", { what: "/proc", cause, remedy, blocks: true })];
}
