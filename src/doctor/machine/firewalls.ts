/**
 * The contents of nf_tables and iptables, as far as they matter to an install; only root may look.
 * @module
 */
import type { IptablesPrograms } from "../../kernel/iptables/state/programs.ts";
import { isOurTable, readTableHead } from "../../kernel/nft/state/state.ts";
import { OperationError, unlessRefused } from "../../net/error.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { openNetlink } from "../../netlink/transport.ts";
import type { MachineFiles } from "./files.ts";
import type { FirewallChain } from "../firewall/chain.ts";
import { readNftChains } from "./firewall_chains.ts";
import { type IptablesFacts, readIptablesFacts } from "./iptables.ts";
import { readLegacyChains } from "./legacy/read_tables.ts";

/** The owner of the table of our name. */
export type TableOwner = "nobody" | "tproxy" | "another program";

/** The contents of the firewalls. */
export interface FirewallFacts {
  readonly owner: TableOwner;
  /** Base chains of others; undefined where nf_tables is not there, or could not be read. */
  readonly chains: readonly FirewallChain[] | undefined;
  readonly iptables: IptablesFacts;
  /** Base chains of iptables-legacy. */
  readonly legacyChains: readonly FirewallChain[];
  /** The reason why nf_tables could not be read, where it is there. */
  readonly obstacle: OperationError | undefined;
}

/** The sources of the reading. */
export interface FirewallSources {
  readonly files: MachineFiles;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
  readonly programs: () => Promise<readonly IptablesPrograms[]>;
}

/** Reads all. Where nf_tables cannot be read, iptables is not asked either. */
export async function readFirewalls(sources: FirewallSources): Promise<FirewallFacts> {
  const netfilter = unlessRefused(() => openNetlink("netfilter"));
  let owner: TableOwner = "nobody";
  let chains: readonly FirewallChain[] | undefined;
  let obstacle: OperationError | undefined;
  try {
    try {
      if (netfilter !== undefined) {
        owner = readTableOwner(netfilter);
        chains = readNftChains(netfilter);
      }
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      obstacle = error;
    }
    const { files, readTextFile } = sources;
    const source = obstacle === undefined
      ? { netfilter, readTextFile }
      : { netfilter: undefined, readTextFile: () => "" };
    const iptables = await readIptablesFacts(await sources.programs(), source);
    return { owner, chains, iptables, legacyChains: readLegacyChains(files), obstacle };
  } finally {
    netfilter?.close();
  }
}

/** Throws an OperationError, EPERM without privilege. */
function readTableOwner(connection: NetlinkConnection): TableOwner {
  const table = readTableHead(connection);
  if (table === undefined) return "nobody";
  return isOurTable(table) ? "tproxy" : "another program";
}
