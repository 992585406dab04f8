/**
 * The name of our table in nf_tables. Pure.
 * @module
 */
import { TABLE_NAME } from "../../constants.ts";
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { FirewallFacts, TableOwner } from "../machine/firewalls.ts";

/** The check. */
export const tableName: Check<FirewallFacts> = {
  id: "table-name",
  read: ({ firewalls }) => firewalls(),
  judge: ({ chains, owner }) => chains === undefined ? [] : [judgeTableOwner(owner)],
};

/** Makes a finding for the name of our table. */
export function judgeTableOwner(owner: TableOwner): Finding {
  const id = "table-name";
  const what = `nf_tables table inet ${TABLE_NAME}`;
  if (owner === "nobody") return works(id, what, "free");
  if (owner === "tproxy") return works(id, what, "installed");
  return warning(id, {
    what,
    blocks: true,
    cause: "A table of this name is there that tproxy did not make",
    remedy: `See "nft list table inet ${TABLE_NAME}", and delete it if nobody needs it`,
  });
}
