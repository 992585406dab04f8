/**
 * systemd-networkd: since version 249 it deletes policy-routing rules that it did not make, whenever it
 * starts or configures anew.
 * @module
 */
import type { Check } from "../check.ts";
import type { MachineFiles } from "../machine/files.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { Situation } from "../situation.ts";

/** man networkd.conf: of files with the same name, that in the first directory counts. */
const DIRECTORIES = ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];
const KEY = "ManageForeignRoutingPolicyRules";
/** The name of its process, which the kernel cuts to 15 characters. */
const PROCESS = "systemd-network";

/** The value of the key in its configuration, and the file that says so. */
export interface NetworkdFacts {
  readonly value?: string;
  readonly path?: string;
}

/** The check. */
export const networkd: Check<NetworkdFacts> = {
  id: "networkd",
  ofBrought: true,
  read: ({ files }) => readNetworkd(files),
  judge: judgeNetworkd,
};

/** Reads the main file and then the drop-ins in the order of their names; the last word counts. */
export function readNetworkd(files: MachineFiles): NetworkdFacts {
  const main = DIRECTORIES.map((directory) => `${directory}/networkd.conf`)
    .find((path) => files.readText(path) !== undefined);
  let facts: NetworkdFacts = {};
  for (const path of [...main === undefined ? [] : [main], ...listDropIns(files)]) {
    const value = readKey(files.readText(path) ?? "");
    if (value !== undefined) facts = { value, path };
  }
  return facts;
}

function listDropIns(files: MachineFiles): string[] {
  const byName = new Map<string, string>();
  for (const directory of DIRECTORIES.map((directory) => `${directory}/networkd.conf.d`)) {
    for (const name of files.list(directory)) {
      if (name.endsWith(".conf") && !byName.has(name)) byName.set(name, `${directory}/${name}`);
    }
  }
  return [...byName.keys()].sort().map((name) => byName.get(name)!);
}

function readKey(text: string): string | undefined {
  let section = "";
  let value: string | undefined;
  for (const line of text.split("\n")) {
    section = /^\s*\[(.*)\]\s*$/.exec(line)?.[1] ?? section;
    if (section !== "Network") continue;
    value = new RegExp(`^\\s*${KEY}\\s*=\\s*(.*?)\\s*$`).exec(line)?.[1] ?? value;
  }
  return value;
}

/** Makes a warning if it runs and deletes rules. */
export function judgeNetworkd(facts: NetworkdFacts, { processes }: Situation): Finding[] {
  const id = "networkd";
  if (!processes.some(({ name }) => name === PROCESS)) return [works(id, "systemd-networkd does not run")];
  const what = `systemd-networkd runs with ${KEY}=${facts.value ?? "yes (its default)"}`;
  if (/^(no|false|0|n|f|off)$/i.test(facts.value ?? "")) return [works(id, what, `${facts.path}`)];
  return [warning(id, {
    what,
    cause:
      "When it starts again or configures an interface anew, it deletes the routing rules of an install" +
      (facts.path === undefined ? "" : ` (${facts.path})`),
    remedy: `Write "[Network]" and "${KEY}=no" into /etc/systemd/networkd.conf.d/tproxy.conf, ` +
      'then "systemctl restart systemd-networkd" and "tproxy install"',
  })];
}
