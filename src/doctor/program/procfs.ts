/**
 * Whether /proc is mounted: most checks of the machine read there. Pure.
 * @module
 */
import { PROCFS_MISSING } from "../../kernel/machine/procfs.ts";
import { type Finding, warning, works } from "../finding.ts";

/** A finding; without /proc no other check of the machine means anything. */
export function judgeProcfs(mounted: boolean): Finding {
  const id = "procfs";
  const { reason: cause, hint: remedy } = PROCFS_MISSING;
  if (mounted) return works(id, "/proc is mounted");
  return warning(id, { what: "/proc", cause, remedy, blocks: true });
}
