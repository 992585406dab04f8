/**
 * The changes that rules of others may make to what this machine itself sends, and to what comes in from its
 * loopback interface: addresses, and routes by marks. Where nobody does, nothing has to be kept from it.
 * @module
 */
import { LIVE_TABLE_NAME, TABLE_NAME } from "../constants.ts";
import { listChains, type NftChain } from "../netlink/nft/chain.ts";
import { listRules } from "../netlink/nft/rule.ts";
import { listTables } from "../netlink/nft/table.ts";
import { ifNfTables } from "./machine/nf_tables.ts";
import { ALL_CHANGES, type OutputChanges } from "./plan/live/options.ts";
import { LEGACY_NAMES, type OutputSources, readOrNothing } from "./output_filters.ts";

const NO_CHANGES: OutputChanges = { incoming: false, outgoing: false, source: false, route: false };

/** The base chains that make a change, by their types and hooks. */
const PLACES = {
  incoming: { type: "nat", hook: "prerouting" },
  outgoing: { type: "nat", hook: "output" },
  source: { type: "nat", hook: "postrouting" },
  route: { type: "route", hook: "output" },
} as const;

/** Looks for them. A chain without rules changes nothing. */
export function readOutputChanges({ netfilter, readTextFile }: OutputSources): OutputChanges {
  if (LEGACY_NAMES.some((path) => /^(nat|mangle)$/m.test(readOrNothing(path, readTextFile)))) {
    return ALL_CHANGES;
  }
  return ifNfTables(() => {
    const found = { ...NO_CHANGES };
    for (const family of ["inet", "ip", "ip6"] as const) {
      for (const table of listTables(netfilter, family)) {
        if (table.name === TABLE_NAME || table.name === LIVE_TABLE_NAME) continue;
        const changing = listChains(netfilter, table).filter(changeOf);
        if (changing.length === 0) continue;
        const rules = listRules(netfilter, { family, table: table.name });
        for (const chain of changing) {
          const change = changeOf(chain);
          if (change !== undefined && rules.some((rule) => rule.chain === chain.name)) found[change] = true;
        }
      }
    }
    return found;
  }, NO_CHANGES);
}

function changeOf({ base }: Pick<NftChain, "base">): keyof OutputChanges | undefined {
  const changes = Object.keys(PLACES) as (keyof OutputChanges)[];
  return changes.find((change) => base?.type === PLACES[change].type && base.hook === PLACES[change].hook);
}
