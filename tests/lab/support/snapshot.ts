/**
 * The kernel state of a namespace as `nft`, `ip` and `sysctl` show it, to be compared before and after.
 * @module
 */
import type { Namespace } from "./namespace.ts";

/** Sysctls that change by themselves. */
const VOLATILE =
  /^net\.(netfilter\.nf_conntrack_count|ipv4\.tcp_fastopen_key|ipv6\.conf\.[^.]+\.stable_secret)\b/;

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
    const lines = stdout.split("\n").filter((line) => !VOLATILE.test(line));
    return `# ${argv.join(" ")}\n${lines.join("\n")}`;
  }));
  return parts.join("\n");
}
