/**
 * Tries what nf_tables must be able to do, in tables that never take effect: made and deleted in one
 * transaction, with chains that no packet comes to.
 * @module
 */
import { listenerAddress } from "../../net/families.ts";
import type { Family } from "../../net/ip.ts";
import type { NetlinkConnection } from "../../netlink/connection.ts";
import { REGISTER_1 } from "../../netlink/nft/data.ts";
import { NftBatch } from "../../netlink/nft/batch.ts";
import type { NftExpression } from "../../netlink/nft/expression.ts";
import {
  destinationType,
  networkFamily,
  notrack,
  reject,
  tproxyTo,
  transparentSocket,
  transport,
} from "../../netlink/nft/phrases.ts";
import type { CompiledTable } from "../../kernel/nft/model.ts";
import { replaceTable } from "../../kernel/nft/batch.ts";
import { attempt, type ProbeId, type ProbeResult } from "./probe.ts";

/** The trials to make. */
export interface NftProbeOptions {
  readonly families: readonly Family[];
  /** The name of the throw-away table, which nobody else has. */
  readonly tableName: string;
  /** The whole table of the config: only where no packet passes. */
  readonly table?: CompiledTable;
}

/** Tries nf_tables itself, then each expression alone, then the whole table. */
export function probeNft(connection: NetlinkConnection, options: NftProbeOptions): ProbeResult[] {
  const base = attempt("nf-tables", () => throwAway(options.tableName, []).commit(connection));
  const results = [
    base,
    ...listExpressions(options.families).map(([id, expressions]) =>
      attempt(id, () => throwAway(options.tableName, expressions).commit(connection))
    ),
  ];
  const { table } = options;
  if (table === undefined) return results;
  const whole = attempt(
    "nft-table",
    () => replaceTable(table).deleteTable({ family: "inet", name: table.name }).commit(connection),
  );
  return [...results, whole];
}

function listExpressions(families: readonly Family[]): [ProbeId, NftExpression[]][] {
  return [
    ["nft-socket", transparentSocket()],
    ...families.map((family): [ProbeId, NftExpression[]] => [`nft-tproxy-${family}`, steer(family)]),
    ["nft-fib", destinationType("local")],
    ["nft-notrack", notrack()],
    ["nft-reject", [...transport("tcp"), ...reject("tcp-reset")]],
    ["nft-ct-mark", [{ kind: "ct", direction: "load", key: "mark", register: REGISTER_1 }]],
  ];
}

function steer(family: Family): NftExpression[] {
  const address = listenerAddress(family);
  return [...networkFamily(family), ...transport("tcp"), ...tproxyTo({ address, port: 1 })];
}

/** Equivalent to: nft 'add table inet T; add chain inet T c; add rule inet T c …; delete table inet T' */
function throwAway(name: string, expressions: readonly NftExpression[]): NftBatch {
  const where = { family: "inet", table: name } as const;
  const batch = new NftBatch().addTable({ family: "inet", name }, { exclusive: true });
  if (expressions.length > 0) {
    // Without a hook: no packet comes here.
    batch.addChain({ ...where, name: "c" }).addRule({ ...where, chain: "c", expressions });
  }
  return batch.deleteTable({ family: "inet", name });
}
