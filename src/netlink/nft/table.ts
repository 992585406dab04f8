/**
 * nf_tables tables. The codec is pure.
 * @module
 */
import { EACCES, EINVAL, EOPNOTSUPP, EPERM } from "../../net/errno.ts";
import { OperationError } from "../../net/error.ts";
import { AttributeWriter } from "../attribute.ts";
import type { NetlinkConnection } from "../connection.ts";
import { Names } from "../names.ts";
import { required } from "./data.ts";
import { dumpObjects } from "./dump.ts";
import { type NftFamily, readNftBody } from "./message.ts";
import { decodeComment, encodeComment } from "./user_data.ts";

// linux/netfilter/nf_tables.h: enum nft_table_attributes, enum nft_table_flags
const NFTA_TABLE_NAME = 1;
const NFTA_TABLE_FLAGS = 2;
const NFTA_TABLE_HANDLE = 4;
const NFTA_TABLE_USERDATA = 6;

/**
 * `dormant`: its chains are not hooked in. `owner`: it dies with the netlink socket that made it, unless
 * `persist`.
 */
export type TableFlag = "dormant" | "owner" | "persist";

const FLAGS = new Names<TableFlag>("table flag", { dormant: 1, owner: 2, persist: 4 });

/** Name of a table, with its family. */
export interface TableName {
  /** Family of the table. */
  readonly family: NftFamily;
  /** Its name. */
  readonly name: string;
}

/** A table. */
export interface NftTable extends TableName {
  /** Flags of the object. */
  readonly flags?: readonly TableFlag[];
  /** For the administrator, as nft shows it. */
  readonly comment?: string;
  /** The kernel's number of it; known after a dump. */
  readonly handle?: bigint;
}

/** The attributes of NFT_MSG_NEWTABLE. */
export function encodeTable(table: NftTable): Uint8Array {
  const writer = new AttributeWriter()
    .string(NFTA_TABLE_NAME, table.name)
    .u32be(NFTA_TABLE_FLAGS, FLAGS.bits(table.flags ?? []));
  if (table.comment !== undefined) writer.bytes(NFTA_TABLE_USERDATA, encodeComment(table.comment));
  return writer.finish();
}

/** The attributes that name a table. */
export function encodeTableName(table: TableName): Uint8Array {
  return new AttributeWriter().string(NFTA_TABLE_NAME, table.name).finish();
}

/** Reads the body of NFT_MSG_NEWTABLE. */
export function decodeTable(body: Uint8Array): NftTable {
  const { family, attributes } = readNftBody(body);
  const flags = FLAGS.flags(attributes.u32be(NFTA_TABLE_FLAGS) ?? 0);
  const comment = decodeComment(attributes.bytes(NFTA_TABLE_USERDATA));
  const handle = attributes.u64be(NFTA_TABLE_HANDLE);
  return {
    family,
    name: required(attributes.string(NFTA_TABLE_NAME), "NFTA_TABLE_NAME"),
    ...(flags.length === 0 ? {} : { flags }),
    ...(comment === undefined ? {} : { comment }),
    ...(handle === undefined ? {} : { handle }),
  };
}

/** All tables, or those of one family. Equivalent to: nft list tables */
export function listTables(connection: NetlinkConnection, family?: NftFamily): NftTable[] {
  const bodies = dumpObjects(connection, "table", { family, object: family ?? "" });
  return bodies.map(decodeTable);
}

/** Answers of kernels that have no flow tables, and to those who may not ask. */
const NO_FLOW_TABLES: readonly number[] = [EINVAL, EOPNOTSUPP, EPERM, EACCES];

/**
 * Tells whether any table has a flow table: what rules put into it is forwarded where it comes in, past all
 * other rules. Equivalent to: nft list flowtables
 */
export function hasFlowTables(connection: NetlinkConnection): boolean {
  try {
    return dumpObjects(connection, "flowtable", { family: undefined, object: "" }).length > 0;
  } catch (error) {
    if (error instanceof OperationError && NO_FLOW_TABLES.includes(error.errno)) return false;
    throw error;
  }
}
