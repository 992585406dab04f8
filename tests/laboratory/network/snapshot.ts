/**
 * The kernel state of a namespace as `nft`, `ip` and `sysctl` show it, to be compared before and after.
 * @module
 */
import { labBackend, usesIptables } from "../proxy/backend.ts";
import type { Namespace } from "../namespace.ts";

/** Sysctls that change by themselves. */
const VOLATILE =
  /^net\.(netfilter\.nf_conntrack_count|ipv4\.tcp_fastopen_key|ipv6\.conf\.[^.]+\.stable_secret)\b/;

/** Leaves out flows that packets have put into sets. */
export function withoutFlows(text: string): string {
  return text.replace(/\n\t\telements = \{[^}]*expires[^}]*\}/g, "");
}

/** Leaves out the numbers of counters. */
export function withoutCounts(text: string): string {
  return text.replace(/packets \d+ bytes \d+/g, "");
}

/** Rules count packets and remember flows, and those come while a test runs. */
function lasting(text: string): string {
  // The running proxy's own table is neither an install's nor an uninstall's work.
  const installed = withoutFlows(text).replace(/^table inet transparent_proxy_live \{[\s\S]*?^\}\n?/m, "");
  return usesIptables() ? withoutCounts(installed) : installed;
}

/**
 * The rules of iptables-legacy, which `nft` does not show; a table that is there and empty is as one that is
 * not.
 */
async function readLegacy(namespace: Namespace): Promise<string> {
  if (labBackend().variant !== "legacy") return "";
  const saved = await Promise.all(
    ["iptables-legacy-save", "ip6tables-legacy-save"].map((program) => namespace.run([program])),
  );
  const lines = saved.flatMap(({ stdout }) => stdout.split("\n"))
    .filter((line) => /^-|^:\S+ -/.test(line)).map((line) => line.replace(/\[\d+:\d+\]/, ""));
  return lines.join("\n");
}

/** Rule set, policy rules, routes (both families, all tables) and network sysctls, as text. */
export async function snapshotKernel(namespace: Namespace): Promise<string> {
  const commands = [
    ["nft", "list", "ruleset"],
    ["ip", "-4", "rule", "show"],
    ["ip", "-6", "rule", "show"],
    ["ip", "-4", "route", "show", "table", "all"],
    ["ip", "-6", "route", "show", "table", "all"],
    ["sysctl", "-a", "-r", "^net\\."],
  ];
  const parts = await Promise.all(commands.map(async (argv) => {
    const { stdout } = await namespace.run(argv);
    const lines = stdout.split("\n").filter((line) => line !== "" && !VOLATILE.test(line));
    return `# ${argv.join(" ")}\n${lasting(lines.join("\n")).trimEnd()}`;
  }));
  return [...parts, await readLegacy(namespace)].join("\n");
}
