/**
 * The programs of iptables, which the backend iptables needs. Pure, but for reading.
 * @module
 */
import { type IptablesPrograms, PACKAGES_HINT } from "../../kernel/iptables/state/programs.ts";
import type { Check } from "../check.ts";
import { type Finding, works } from "../finding.ts";
import type { Situation } from "../situation.ts";

/** The check. It reads the firewalls before the probes of the kernel can change them. */
export const iptablesPrograms: Check<readonly IptablesPrograms[]> = {
  id: "iptables-programs",
  read: async ({ firewalls }) => (await firewalls()).iptables.programs,
  judge: judgePrograms,
};

/** With the backend iptables, makes a finding of whether its programs are here for all families. */
export function judgePrograms(
  programs: readonly IptablesPrograms[],
  { config, families }: Situation,
): Finding[] {
  if (config.kernel.backend !== "iptables") return [];
  const id = "iptables-programs";
  const what = "programs of iptables";
  const missing = (lacking: string): Finding => ({
    id,
    state: "missing",
    blocks: true,
    what,
    cause: `There is no program ${lacking}`,
    remedy: `${PACKAGES_HINT}; or set kernel.backend to netlink`,
  });
  const [chosen] = programs;
  if (chosen === undefined) return [missing("iptables")];
  const lacking = families.flatMap((family) => chosen.missing(family));
  return lacking.length > 0 ? [missing(lacking.join(", "))] : [works(id, what, chosen.version)];
}
