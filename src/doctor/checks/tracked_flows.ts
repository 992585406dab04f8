/**
 * The table of conntrack. Where it is full, the kernel drops every new flow, with a proxy as without. Pure,
 * but for reading.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import { readSysctl, type Sysctl } from "../machine/sysctl.ts";

const ID = "tracked-flows";
/** The share of the table from which on it is said, in percent. */
const NEARLY_FULL = 90;

/** The sysctls; without a value where nothing is tracked yet. */
export interface TrackedFlowsFacts {
  readonly count: Sysctl;
  readonly max: Sysctl;
}

/** The check. */
export const trackedFlows: Check<TrackedFlowsFacts> = {
  id: ID,
  read: ({ files }) => ({
    count: readSysctl(files, "net.netfilter.nf_conntrack_count"),
    max: readSysctl(files, "net.netfilter.nf_conntrack_max"),
  }),
  judge: judgeTrackedFlows,
};

/** Judges how full it is; a limit of 0 is none. */
export function judgeTrackedFlows({ count, max }: TrackedFlowsFacts): Finding[] {
  const [used, limit] = [Number(count.value ?? 0), Number(max.value ?? 0)];
  if (limit === 0) return [works(ID, `${max.name} = ${max.value ?? "none"}`)];
  const what = `conntrack: ${used} of ${limit} flows (${max.name})`;
  if (100 * used < NEARLY_FULL * limit) return [works(ID, what)];
  const full = used >= limit;
  const more = Math.max(2 * limit, LEAST);
  return [warning(ID, {
    what,
    blocks: full,
    cause: full
      ? 'The table is full: the kernel drops every new flow ("nf_conntrack: table full, dropping packet")'
      : "The table is nearly full; once it is, the kernel drops every new flow",
    remedy: `sysctl -w ${max.name}=${more}, and the same in a file of /etc/sysctl.d`,
  })];
}

/** The limit of a machine with 1 GiB of memory. */
const LEAST = 65536;
