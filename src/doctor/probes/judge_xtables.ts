/**
 * Meaning of the answers to questions for matches and targets of iptables where one of the two ways to them
 * is missing; and whether the tables of iptables-legacy can be there. Pure.
 * @module
 */
import { EINVAL, ENOPROTOOPT } from "../../net/errno.ts";
import type { Family } from "../../net/ip.ts";
import { KERNEL_PARTS, type KernelModule } from "../../kernel/parts.ts";
import type { Capability } from "./capabilities.ts";
import { type Finding, works } from "../finding.ts";
import { explainMissing, type Explanation } from "../parts/explain.ts";
import { type KernelBuild, readSymbol } from "../parts/kernel_build.ts";
import type { ProbeId, ProbeResult } from "./probe.ts";

/** Those that rules of ours are in. */
const TABLES: Readonly<Record<Family, readonly KernelModule[]>> = {
  ipv4: ["iptable_raw", "iptable_mangle", "iptable_filter"],
  ipv6: ["ip6table_raw", "ip6table_mangle", "ip6table_filter"],
};

/** The errno of a way that is not there at all. */
function unreachable({ id, errno }: ProbeResult): boolean {
  return id.startsWith("xt-") && errno === (id.endsWith("/nft") ? EINVAL : ENOPROTOOPT);
}

function legacyModule(id: ProbeId): "ip_tables" | "ip6_tables" {
  return id.includes("-ipv4/") ? "ip_tables" : "ip6_tables";
}

/**
 * Explains why there is no way to xtables; undefined where there is one, and the extension itself is missing.
 */
export function explainUnreachable(
  results: readonly ProbeResult[],
  build: KernelBuild,
): Explanation | undefined {
  if (!results.every(unreachable)) return undefined;
  if (results.length > 1) {
    const { part, cause, remedy } = explainMissing("nft_compat", build);
    return { part, cause: `${cause}, and ip_tables is not loaded either`, remedy };
  }
  const [{ id }] = results;
  if (id.endsWith("/nft")) return explainMissing("nft_compat", build);
  return isLoadable(legacyModule(id), build) ? undefined : explainMissing(legacyModule(id), build);
}

/**
 * The kernel does not load ip_tables for whoever asks: iptables-legacy does that itself. So until it has, the
 * files of the modules tell whether it can. undefined where they do not.
 */
export function judgeLegacy(
  { id, what, part }: Capability,
  results: readonly ProbeResult[],
  build: KernelBuild,
): Finding | undefined {
  if (results.length !== 1 || results[0].id.endsWith("/nft") || !unreachable(results[0])) return undefined;
  if (!("module" in part)) return undefined;
  const modules = [legacyModule(results[0].id), part.module];
  return modules.every((module) => isLoadable(module, build))
    ? works(id, what, "not loaded yet: iptables-legacy does that")
    : undefined;
}

/**
 * The tables of iptables-legacy, which are modules of their own. Nothing is said where it is not known what
 * the kernel has.
 */
export function judgeLegacyTables(families: readonly Family[], build: KernelBuild): Finding[] {
  if (build.config === undefined && build.modules.builtIn.size === 0) return [];
  return families.flatMap((family) =>
    TABLES[family].filter((module) => !isLoadable(module, build)).map((module) => {
      const table = module.replace(/^ip6?table_/, "");
      const command = family === "ipv4" ? "iptables" : "ip6tables";
      return {
        id: `iptables-table-${table}-${family}`,
        state: "missing" as const,
        blocks: true,
        what: `${KERNEL_PARTS[module].symbol}: ${command} -t ${table}`,
        ...explainMissing(module, build),
      };
    })
  );
}

function isLoadable(module: KernelModule, build: KernelBuild): boolean {
  const { modules, loading } = build;
  if (readSymbol(KERNEL_PARTS[module].symbol, build) === "y") return true;
  const isIn = (name: string) => loading.loaded.has(name) || modules.builtIn.has(name);
  if (isIn(module)) return true;
  const names = [module, ...modules.needs.get(module) ?? []];
  return !loading.disabled && !loading.forbidden.has(module) &&
    names.every((name) => isIn(name) || modules.paths.has(name));
}
