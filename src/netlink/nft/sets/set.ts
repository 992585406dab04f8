/**
 * nf_tables sets and maps. The codec is pure. Their elements are in element.ts.
 * @module
 */
import { AttributeWriter } from "../../attribute.ts";
import type { NetlinkConnection } from "../../connection.ts";
import { Names } from "../../names.ts";
import { required } from "../data.ts";
import { dumpObjects } from "../dump.ts";
import { type NftFamily, readNftBody } from "../message.ts";
import { byteOrder, keySize, type NftDataType, partSizes, typeNumber, typesOf } from "./set_type.ts";
import type { TableName } from "../table.ts";
import {
  concatenate,
  decodeComment,
  SET_COMMENT,
  SET_DATA_BYTE_ORDER,
  SET_DATA_INTERVAL,
  SET_KEY_BYTE_ORDER,
  SET_KEY_TYPEOF,
  userDataEntry,
  userDataNumber,
  userDataText,
} from "../user_data.ts";

// linux/netfilter/nf_tables.h: enum nft_set_attributes, nft_set_desc_attributes, nft_set_field_attributes
const NFTA_SET_TABLE = 1;
const NFTA_SET_NAME = 2;
const NFTA_SET_FLAGS = 3;
const NFTA_SET_KEY_TYPE = 4;
const NFTA_SET_KEY_LEN = 5;
const NFTA_SET_DATA_TYPE = 6;
const NFTA_SET_DATA_LEN = 7;
const NFTA_SET_DESC = 9;
const NFTA_SET_ID = 10;
const NFTA_SET_TIMEOUT = 11;
const NFTA_SET_USERDATA = 13;
const NFTA_SET_HANDLE = 16;
const NFTA_SET_DESC_SIZE = 1;
const NFTA_SET_DESC_CONCAT = 2;
const NFTA_SET_FIELD_LEN = 1;
const NFTA_LIST_ELEM = 1;
/** The type of a verdict map's values: NFT_DATA_VERDICT. */
const NFT_DATA_VERDICT = 0xffffff00;

/** A property of a set. `map` and `concat` are added where the types ask for it. */
export type SetFlag = "anonymous" | "constant" | "interval" | "map" | "timeout" | "dynamic" | "concat";

// linux/netfilter/nf_tables.h: enum nft_set_flags
const FLAGS = new Names<SetFlag>("set flag", {
  anonymous: 1,
  constant: 2,
  interval: 4,
  map: 8,
  timeout: 16,
  dynamic: 32,
  concat: 128,
});

/** The name that the kernel numbers: `__set0`, `__set1`. */
export const ANONYMOUS_SET_NAME = "__set%d";

/** Name of a set, with its table. */
export interface SetName {
  /** Family of the table. */
  readonly family: NftFamily;
  /** Its table. */
  readonly table: string;
  /** Its name. */
  readonly name: string;
}

/** A set, or a map if it has `values`. */
export interface NftSet extends SetName {
  /** The key's type; several for a concatenation. Empty in a dump where a type is not known here. */
  readonly type: readonly NftDataType[];
  /** Flags of the object. */
  readonly flags?: readonly SetFlag[];
  /** Values of a map. */
  readonly values?: "verdict" | readonly NftDataType[];
  /** The number of elements of a constant set, or the most that a set may hold. */
  readonly size?: number;
  /** Milliseconds that an element lasts that says nothing else, with the flag `timeout`. */
  readonly timeoutMs?: number;
  /** For the administrator, as nft shows it. */
  readonly comment?: string;
  /** The kernel's number of it; known after a dump. */
  readonly handle?: bigint;
}

function allFlags(set: NftSet): number {
  let bits = FLAGS.bits(set.flags ?? []);
  if (set.values !== undefined) bits |= FLAGS.number("map");
  if (set.type.length > 1 && set.flags?.includes("interval")) bits |= FLAGS.number("concat");
  return bits;
}

/** The attributes of NFT_MSG_NEWSET; `id` is the set's number within the batch. */
export function encodeSet(set: NftSet, id: number): Uint8Array {
  const writer = new AttributeWriter()
    .string(NFTA_SET_TABLE, set.table)
    .string(NFTA_SET_NAME, set.name)
    .u32be(NFTA_SET_FLAGS, allFlags(set))
    .u32be(NFTA_SET_KEY_TYPE, typeNumber(set.type))
    .u32be(NFTA_SET_KEY_LEN, keySize(set.type));
  if (set.values === "verdict") {
    writer.u32be(NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT).u32be(NFTA_SET_DATA_LEN, 0);
  } else if (set.values !== undefined) {
    writer.u32be(NFTA_SET_DATA_TYPE, typeNumber(set.values)).u32be(NFTA_SET_DATA_LEN, keySize(set.values));
  }
  writer.u32be(NFTA_SET_ID, id);
  const concatenatedIntervals = set.type.length > 1 && set.flags?.includes("interval") === true;
  if (set.size !== undefined || concatenatedIntervals) {
    writer.nest(NFTA_SET_DESC, (description) => {
      if (set.size !== undefined) description.u32be(NFTA_SET_DESC_SIZE, set.size);
      if (concatenatedIntervals) writeFields(description, set.type);
    });
  }
  if (set.timeoutMs !== undefined) writer.u64be(NFTA_SET_TIMEOUT, BigInt(set.timeoutMs));
  return writer.bytes(NFTA_SET_USERDATA, encodeUserData(set)).finish();
}

function writeFields(description: AttributeWriter, types: readonly NftDataType[]): void {
  description.nest(NFTA_SET_DESC_CONCAT, (list) => {
    for (const size of partSizes(types)) {
      list.nest(NFTA_LIST_ELEM, (field) => field.u32be(NFTA_SET_FIELD_LEN, size));
    }
  });
}

/**
 * Encodes nft 1.0.6's own notes, without which it cannot print a set: byte orders, and that a concatenation
 * is one.
 */
function encodeUserData(set: NftSet): Uint8Array {
  const entries = [userDataNumber(SET_KEY_BYTE_ORDER, byteOrder(set.type))];
  if (set.values !== undefined) {
    const order = set.values === "verdict" ? 0 : byteOrder(set.values);
    entries.push(userDataNumber(SET_DATA_BYTE_ORDER, order));
  }
  if (set.type.length > 1) {
    // A nested entry 0 (kind of expression: 13, concatenation), and an empty entry 1 (its data).
    entries.push(userDataEntry(SET_KEY_TYPEOF, concatenate([userDataNumber(0, 13), Uint8Array.of(1, 0)])));
  }
  if (set.values !== undefined) entries.push(userDataNumber(SET_DATA_INTERVAL, 0));
  if (set.comment !== undefined) entries.push(userDataText(SET_COMMENT, set.comment));
  return concatenate(entries);
}

/** The attributes that name a set. */
export function encodeSetName(set: SetName): Uint8Array {
  return new AttributeWriter()
    .string(NFTA_SET_TABLE, set.table)
    .string(NFTA_SET_NAME, set.name)
    .finish();
}

/** Reads the body of NFT_MSG_NEWSET. */
export function decodeSet(body: Uint8Array): NftSet {
  const { family, attributes } = readNftBody(body);
  const flags = FLAGS.flags(attributes.u32be(NFTA_SET_FLAGS) ?? 0)
    .filter((flag) => flag !== "map" && flag !== "concat");
  const size = attributes.nested(NFTA_SET_DESC)?.u32be(NFTA_SET_DESC_SIZE);
  const comment = decodeComment(attributes.bytes(NFTA_SET_USERDATA), SET_COMMENT);
  const handle = attributes.u64be(NFTA_SET_HANDLE);
  const timeout = attributes.u64be(NFTA_SET_TIMEOUT);
  const dataType = attributes.u32be(NFTA_SET_DATA_TYPE);
  const values = dataType === undefined || dataType === NFT_DATA_VERDICT
    ? "verdict"
    : typesOf(dataType) ?? [];
  return {
    family,
    table: required(attributes.string(NFTA_SET_TABLE), "NFTA_SET_TABLE"),
    name: required(attributes.string(NFTA_SET_NAME), "NFTA_SET_NAME"),
    type: typesOf(required(attributes.u32be(NFTA_SET_KEY_TYPE), "NFTA_SET_KEY_TYPE")) ?? [],
    ...(flags.length === 0 ? {} : { flags }),
    ...(dataType === undefined ? {} : { values }),
    ...(size === undefined ? {} : { size }),
    ...(timeout === undefined || timeout === 0n ? {} : { timeoutMs: Number(timeout) }),
    ...(comment === undefined ? {} : { comment }),
    ...(handle === undefined ? {} : { handle }),
  };
}

/** The sets and maps of a table, anonymous ones too. Equivalent to: nft list sets table inet T */
export function listSets(connection: NetlinkConnection, table: TableName): NftSet[] {
  const attributes = new AttributeWriter().string(NFTA_SET_TABLE, table.name).finish();
  return dumpObjects(connection, "set", { family: table.family, attributes, object: table.name })
    .map(decodeSet);
}
