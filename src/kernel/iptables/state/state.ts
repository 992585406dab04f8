/**
 * Our rules in iptables, in this network namespace: for each kind of iptables and each family.
 * @module
 */
import { ALIVE_LISTS } from "../../../constants.ts";
import { OperationError } from "../../../net/error.ts";
import { FAMILIES } from "../../../net/families.ts";
import type { Family } from "../../../net/ip.ts";
import type { NetlinkConnection } from "../../../netlink/connection.ts";
import { listChains } from "../../../netlink/nft/chain.ts";
import { NFT_FAMILIES } from "../../../netlink/nft/message.ts";
import { ifNfTables } from "../../machine/nf_tables.ts";
import { CHAIN_PREFIX, serversList } from "../compile/model.ts";
import { findPrograms, type IptablesPrograms, type IptablesVariant } from "./programs.ts";
import { parseSaved, type SavedTable } from "./saved.ts";

/** The files that name the tables of iptables-legacy. To ask for another table makes it. */
const LEGACY_NAMES: Readonly<Record<Family, string>> = { ipv4: "ip_tables_names", ipv6: "ip6_tables_names" };

/** Chains with our prefix, of one kind of iptables. */
export interface InstalledIptables {
  readonly programs: IptablesPrograms;
  readonly tables: Readonly<Record<Family, readonly SavedTable[]>>;
}

/** Places to look. */
export interface StateSource {
  /** To nf_tables; undefined where the kernel has none. */
  readonly netfilter: NetlinkConnection | undefined;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
}

/** Reads one kind of iptables. No program is run where the kernel shows that nothing can be there. */
export async function readIptables(
  programs: IptablesPrograms,
  source: StateSource,
): Promise<InstalledIptables> {
  const read = async (family: Family) =>
    mayHoldOurs(programs.variant, family, source) ? parseSaved(await programs.save(family)) : [];
  return { programs, tables: { ipv4: await read("ipv4"), ipv6: await read("ipv6") } };
}

/** Those kinds of iptables in which there is something of ours. */
export async function findInstalled(
  programs: readonly IptablesPrograms[],
  source: StateSource,
): Promise<InstalledIptables[]> {
  const all = await Promise.all(programs.map((kind) => readIptables(kind, source)));
  return all.filter(isInstalled);
}

/** Tells whether there is anything that an install has made. */
export function isInstalled({ tables }: InstalledIptables): boolean {
  return FAMILIES.some((family) => tables[family].some(({ comment }) => comment !== undefined));
}

/** The first thing of ours in words: for who must remove it. */
export function describeInstalled({ programs: { version } }: InstalledIptables): string {
  return `chains ${CHAIN_PREFIX}… of ${version}`;
}

/** Every chain with our prefix in words, of every kind of iptables that is here. */
export async function listIptablesChains(source: StateSource): Promise<string[]> {
  if (!mayHoldAny(source)) return [];
  const all = await Promise.all((await findPrograms()).map((kind) => readIptables(kind, source)));
  return all.flatMap(({ programs, tables }) =>
    FAMILIES.flatMap((family) =>
      tables[family].flatMap(({ table, chains }) =>
        [...chains.keys()].map((chain) => `iptables-${programs.variant} ${family} ${table} ${chain}`)
      )
    )
  );
}

/**
 * Tells whether the kernel keeps lists that only our rules make: then those are there, whatever program can
 * show them.
 */
export function hasOurLists({ readTextFile }: StateSource): boolean {
  const names = FAMILIES.flatMap((family) => [ALIVE_LISTS[family], serversList(family)]);
  return names.some((name) => {
    try {
      readTextFile(`/proc/thread-self/net/xt_recent/${name}`);
      return true;
    } catch {
      return false;
    }
  });
}

/** Throws if another program has chains with our prefix. */
export function refuseForeignChains({ tables, programs }: InstalledIptables): void {
  for (const family of FAMILIES) {
    const foreign = tables[family].find(({ comment }) => comment === undefined);
    if (foreign === undefined) continue;
    throw new OperationError({
      operation: "use the chains",
      object: [...foreign.chains.keys()].join(" "),
      reason: `they are in the table ${foreign.table} of ${programs.version}, and tproxy did not make them`,
      hint: `Delete them if nobody needs them: names that begin with ${CHAIN_PREFIX} are used`,
    });
  }
}

/**
 * Tells whether the kernel shows that something of ours can be there; false where it is certain that there is
 * nothing.
 */
export function mayHoldAny(source: StateSource): boolean {
  return (["nf_tables", "legacy"] as const).some((variant) =>
    FAMILIES.some((family) => mayHoldOurs(variant, family, source))
  );
}

function mayHoldOurs(
  variant: IptablesVariant,
  family: Family,
  { netfilter, readTextFile }: StateSource,
): boolean {
  if (variant === "legacy") return readQuietly(LEGACY_NAMES[family], readTextFile) !== "";
  if (netfilter === undefined) return false;
  return readNftChains(netfilter, family).some(({ name }) => name.startsWith(CHAIN_PREFIX));
}

/** The chains of iptables-nft; none where the kernel has no nf_tables. */
export function readNftChains(netfilter: NetlinkConnection, family: Family): ReturnType<typeof listChains> {
  const chains = ifNfTables(() => listChains(netfilter), []);
  return chains.filter((chain) => chain.family === NFT_FAMILIES[family]);
}

function readQuietly(file: string, readTextFile: (path: string) => string): string {
  try {
    return readTextFile(`/proc/thread-self/net/${file}`);
  } catch {
    return ""; // the kernel has no iptables-legacy
  }
}
