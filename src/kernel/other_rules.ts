/**
 * Other programs' rules, and the chains where packets pass that this machine sends, or that come in from its
 * loopback interface: read once for all who judge them.
 * @module
 */
import { LIVE_TABLE_NAME, TABLE_NAME } from "../constants.ts";
import type { NetlinkConnection } from "../netlink/connection.ts";
import { listChains, type NftChain } from "../netlink/nft/chain.ts";
import { listRules, type NftRule } from "../netlink/nft/rule.ts";
import { listTables } from "../netlink/nft/table.ts";
import { ifNfTables } from "./machine/nf_tables.ts";

/** Names of the tables of iptables-legacy, a line each. */
const LEGACY_NAMES = ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"];
const ALL_LEGACY = "raw\nmangle\nnat\nfilter\nsecurity\n";
/** The hooks; at `prerouting` NAT alone. */
const HOOKS: readonly string[] = ["output", "postrouting"];

/** Sources to read. */
export interface RuleSources {
  /** To nf_tables; it needs CAP_NET_ADMIN. */
  readonly netfilter: NetlinkConnection;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
}

/** A table of nf_tables. */
export interface OtherTable {
  /** The base chains at these hooks; none in a table that others alone meet. */
  readonly bases: readonly NftChain[];
  /** The rules of all its chains. */
  readonly rules: readonly NftRule[];
}

/** The rules. */
export interface OtherRules {
  readonly tables: readonly OtherTable[];
  /** See {@linkcode readLegacyNames}. */
  readonly legacy: string;
}

/** Reads them. Throws an OperationError. */
export function readOtherRules({ netfilter, readTextFile }: RuleSources): OtherRules {
  const tables = ifNfTables(
    () => (["inet", "ip", "ip6"] as const).flatMap((family) => listTables(netfilter, family)),
    [],
  );
  return {
    tables: tables.filter(({ name }) => name !== TABLE_NAME && name !== LIVE_TABLE_NAME).flatMap((table) => {
      const bases = listChains(netfilter, table).filter(({ base }) => base !== undefined);
      if (bases.length === 0) return []; // no packet meets it
      return [{
        bases: bases.filter(isConcerned),
        rules: listRules(netfilter, { family: table.family, table: table.name }),
      }];
    }),
    legacy: readLegacyNames(readTextFile),
  };
}

/** Reads which tables iptables-legacy has, a name a line. Nobody tells when it gets one. */
export function readLegacyNames(readTextFile: RuleSources["readTextFile"]): string {
  return LEGACY_NAMES.map((path) => {
    try {
      return readTextFile(path);
    } catch (error) {
      // The kernel has iptables-legacy, and does not tell us its tables: better too many rules than too few.
      if (error instanceof Deno.errors.PermissionDenied) return ALL_LEGACY;
      return ""; // there is no such program here
    }
  }).join("");
}

function isConcerned({ base }: NftChain): boolean {
  return base !== undefined &&
    (HOOKS.includes(base.hook) || (base.type === "nat" && base.hook === "prerouting"));
}
