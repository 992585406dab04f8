/**
 * The elements of nf_tables sets and maps. The codec is pure.
 * @module
 */
import { AttributeMap, AttributeWriter, readAttributes } from "../../attribute.ts";
import type { NetlinkConnection } from "../../connection.ts";
import { readValue, readVerdict, type Verdict, writeValue, writeVerdict } from "../data.ts";
import { dumpObjects } from "../dump.ts";
import { readNftBody } from "../message.ts";
import { encodeSetName, type SetName } from "./set.ts";
import { concatenate, decodeComment, encodeComment, hasUserDataEntry, userDataNumber } from "../user_data.ts";

// linux/netfilter/nf_tables.h: nft_set_elem_list_attributes, nft_set_elem_attributes, nft_set_elem_flags
const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_SET_ELEM_LIST_SET_ID = 4;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_SET_ELEM_FLAGS = 3;
const NFTA_SET_ELEM_TIMEOUT = 4;
const NFTA_SET_ELEM_EXPIRATION = 5;
const NFTA_SET_ELEM_USERDATA = 6;
const NFTA_SET_ELEM_KEY_END = 10;
const NFT_SET_ELEM_INTERVAL_END = 1;
// libnftnl/udata.h: NFTNL_UDATA_SET_ELEM_FLAGS; nft's include/rule.h: SET_ELEM_F_INTERVAL_OPEN, its only flag
const ELEMENT_FLAGS = 1;
const ELEMENT_INTERVAL_OPEN = 1;

/**
 * An attribute's length is 16 bits: a message is full once its elements have so many bytes. An element has
 * less than 1 KiB.
 */
const FULL_LIST_SIZE = 60_000;

/** An element. Keys are in the byte order of the set's type, unpadded but in concatenations. */
export interface NftElement {
  /** In the bytes of the set's type (NFTA_SET_ELEM_KEY). */
  readonly key: Uint8Array;
  /** The last key of a range, in concatenations with intervals. */
  readonly keyEnd?: Uint8Array;
  /** In an interval set: no range holds this key any more. See interval.ts. */
  readonly intervalEnd?: boolean;
  /**
   * In an interval set: the range goes up to the last key of all, and no end follows. For nft, which prints
   * by it.
   */
  readonly intervalOpen?: boolean;
  /** In a map: what the key stands for. */
  readonly value?: Uint8Array | Verdict;
  /** Milliseconds that it lasts, where that is not the set's own `timeoutMs`. */
  readonly timeoutMs?: number;
  /** Milliseconds that are left of that; known after a dump. */
  readonly expiresMs?: number;
  /** For the administrator, as nft shows it. */
  readonly comment?: string;
}

function writeElement(writer: AttributeWriter, element: NftElement): void {
  if (element.intervalEnd) writer.u32be(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
  if (element.timeoutMs !== undefined) writer.u64be(NFTA_SET_ELEM_TIMEOUT, BigInt(element.timeoutMs));
  writeValue(writer, NFTA_SET_ELEM_KEY, element.key);
  if (element.keyEnd !== undefined) writeValue(writer, NFTA_SET_ELEM_KEY_END, element.keyEnd);
  if (element.value instanceof Uint8Array) writeValue(writer, NFTA_SET_ELEM_DATA, element.value);
  else if (element.value !== undefined) writeVerdict(writer, NFTA_SET_ELEM_DATA, element.value);
  const notes: Uint8Array[] = [];
  if (element.comment !== undefined) notes.push(encodeComment(element.comment));
  if (element.intervalOpen) notes.push(userDataNumber(ELEMENT_FLAGS, ELEMENT_INTERVAL_OPEN));
  if (notes.length > 0) writer.bytes(NFTA_SET_ELEM_USERDATA, concatenate(notes));
}

function decodeElement(bytes: Uint8Array): NftElement {
  const attributes = new AttributeMap(bytes);
  const flags = attributes.u32be(NFTA_SET_ELEM_FLAGS) ?? 0;
  const keyEnd = attributes.bytes(NFTA_SET_ELEM_KEY_END);
  const data = attributes.bytes(NFTA_SET_ELEM_DATA);
  const timeout = attributes.u64be(NFTA_SET_ELEM_TIMEOUT);
  const expiration = attributes.u64be(NFTA_SET_ELEM_EXPIRATION);
  const comment = decodeComment(attributes.bytes(NFTA_SET_ELEM_USERDATA));
  return {
    key: readValue(attributes.bytes(NFTA_SET_ELEM_KEY)),
    ...(keyEnd === undefined ? {} : { keyEnd: readValue(keyEnd) }),
    ...((flags & NFT_SET_ELEM_INTERVAL_END) === 0 ? {} : { intervalEnd: true }),
    ...(hasUserDataEntry(attributes.bytes(NFTA_SET_ELEM_USERDATA), ELEMENT_FLAGS)
      ? { intervalOpen: true }
      : {}),
    ...(data === undefined ? {} : { value: readVerdict(data) ?? readValue(data) }),
    ...(timeout === undefined ? {} : { timeoutMs: Number(timeout) }),
    ...(expiration === undefined ? {} : { expiresMs: Number(expiration) }),
    ...(comment === undefined ? {} : { comment }),
  };
}

/** The attributes of NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM: as many messages as the elements need. */
export function encodeElements(
  set: SetName,
  elements: readonly NftElement[],
  options: { setId?: number } = {},
): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let list = new AttributeWriter();
  let count = 0;
  for (const element of elements) {
    // nft numbers the elements; the kernel ignores the number.
    list.nest(++count, (nest) => writeElement(nest, element));
    if (list.length < FULL_LIST_SIZE) continue;
    messages.push(encodeList(set, list.finish(), options.setId));
    list = new AttributeWriter();
    count = 0;
  }
  if (count > 0) messages.push(encodeList(set, list.finish(), options.setId));
  return messages;
}

function encodeList(set: SetName, elements: Uint8Array, setId: number | undefined): Uint8Array {
  const writer = new AttributeWriter()
    .string(NFTA_SET_ELEM_LIST_TABLE, set.table)
    .string(NFTA_SET_ELEM_LIST_SET, set.name);
  if (setId !== undefined) writer.u32be(NFTA_SET_ELEM_LIST_SET_ID, setId);
  return writer.nest(NFTA_SET_ELEM_LIST_ELEMENTS, (list) => list.structure(elements)).finish();
}

/** Reads the body of NFT_MSG_NEWSETELEM. */
export function decodeElements(body: Uint8Array): NftElement[] {
  const list = readNftBody(body).attributes.bytes(NFTA_SET_ELEM_LIST_ELEMENTS);
  return list === undefined ? [] : readAttributes(list).map((element) => decodeElement(element.data));
}

/** The elements of a set, in the kernel's order. Equivalent to: nft list set inet T S */
export function listElements(connection: NetlinkConnection, set: SetName): NftElement[] {
  const attributes = encodeSetName(set); // the numbers of both attributes are the same
  const object = `${set.table}/${set.name}`;
  return dumpObjects(connection, "elements", { family: set.family, attributes, object })
    .flatMap(decodeElements);
}
