/**
 * br_netfilter: whether frames between two ports of a bridge pass the IP rule sets. Flows that are taken
 * early on an intercepted bridge are cut off then (measured); the forward path does without.
 * @module
 */
import type { Family } from "../../net/ip.ts";
import type { Check } from "../check.ts";
import type { MachineFiles } from "../machine/files.ts";
import { type Finding, warning, works } from "../finding.ts";
import { programNames, type Situation } from "../situation.ts";
import { blame, readSysctl, type Sysctl } from "../machine/sysctl.ts";

const NAMES: Readonly<Record<Family, string>> = {
  ipv4: "net.bridge.bridge-nf-call-iptables",
  ipv6: "net.bridge.bridge-nf-call-ip6tables",
};

/** Programs that load br_netfilter and want it on. */
const SUSPECTS = ["dockerd", "kubelet", "k3s-server", "libvirtd"];

/** The sysctl of each family. */
export type BridgeFilterFacts = Readonly<Record<Family, Sysctl>>;

/** The check. */
export const bridgeFilter: Check<BridgeFilterFacts> = {
  id: "bridge-filter",
  read: ({ files }) => readBridgeFilter(files),
  judge: judgeBridgeFilter,
};

/** Reads both; without the module there are none. */
function readBridgeFilter(files: MachineFiles): BridgeFilterFacts {
  return { ipv4: readSysctl(files, NAMES.ipv4), ipv6: readSysctl(files, NAMES.ipv6) };
}

/** Makes a finding for each family; it matters only where a bridge is intercepted. */
export function judgeBridgeFilter(facts: BridgeFilterFacts, situation: Situation): Finding[] {
  const bridges = situation.links.filter(({ name, kind }) =>
    kind === "bridge" && situation.lan.includes(name)
  );
  return situation.families.map((family) => {
    const setting = facts[family];
    const id = `bridge-nf-${family}`;
    if (setting.value !== "1") return works(id, `${setting.name} = ${setting.value ?? "none"}`);
    if (bridges.length === 0) return works(id, `${setting.name} = 1`, "harmless, no bridge is intercepted");
    const cause = blame(setting, {
      programs: programNames(situation),
      suspects: SUSPECTS,
      otherwise: "the default once the module br_netfilter is loaded",
    });
    const names = bridges.map(({ name }) => name).join(", ");
    if (situation.admission.inForce === "forward-path") {
      return works(id, `${setting.name} = 1`, `flows from ${names} are taken all the same; ${cause}`);
    }
    return warning(id, {
      what: `${setting.name} = 1`,
      blocks: true,
      cause:
        `Frames of ${names} pass the rules in the bridge already: a packet that is taken early loses its ` +
        `socket there, and the clients are cut off; ${cause}`,
      remedy:
        `sysctl -w ${setting.name}=0, unless a program needs it (Docker does, between its containers); or set ` +
        "intercept.admission to forward-path",
    });
  });
}
