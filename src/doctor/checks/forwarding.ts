/**
 * Forwarding. Packets that are intercepted pass without it, the rest does not. Pure, but for reading.
 * @module
 */
import type { Family } from "../../net/ip.ts";
import type { Check } from "../check.ts";
import type { MachineFiles } from "../machine/files.ts";
import { type Finding, warning, works } from "../finding.ts";
import { programNames, type Situation } from "../situation.ts";
import { blame, readSysctl, type Sysctl } from "../machine/sysctl.ts";

const NAMES: Readonly<Record<Family, string>> = {
  ipv4: "net.ipv4.ip_forward",
  ipv6: "net.ipv6.conf.all.forwarding",
};

/** The sysctl of each family. */
export type ForwardingFacts = Readonly<Record<Family, Sysctl>>;

/** The check. */
export const forwarding: Check<ForwardingFacts> = {
  id: "forwarding",
  read: ({ files }) => readForwarding(files),
  judge: judgeForwarding,
};

/** Reads both. */
export function readForwarding(files: MachineFiles): ForwardingFacts {
  return { ipv4: readSysctl(files, NAMES.ipv4), ipv6: readSysctl(files, NAMES.ipv6) };
}

/** Makes a finding for each family. */
export function judgeForwarding(facts: ForwardingFacts, situation: Situation): Finding[] {
  return situation.families.map((family) => {
    const setting = facts[family];
    const id = `forwarding-${family}`;
    const what = `${setting.name} = ${setting.value ?? "?"}`;
    if (setting.value === "1" || setting.value === "2") return works(id, what);
    const cause = blame(setting, {
      programs: programNames(situation),
      suspects: [],
      otherwise: "nobody sets it, 0 is the kernel's default",
    });
    const asks = situation.admission.inForce === "forward-path";
    return warning(id, {
      what,
      blocks: asks,
      cause: asks
        ? `This machine forwards nothing, and so it asks the proxy for nothing: ${cause}`
        : `This machine does not forward what is not intercepted: ${cause}`,
      remedy: `sysctl -w ${setting.name}=1, and the same in a file of /etc/sysctl.d` + adviseOnIpv6(family),
    });
  });
}

function adviseOnIpv6(family: Family): string {
  return family === "ipv4"
    ? ""
    : "; where the default route comes by router advertisement, accept_ra=2 on that interface first, or it is lost";
}
