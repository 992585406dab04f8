/**
 * The common part of all nf_tables messages: the message types, the families, and the header after the
 * header. Pure.
 * @module
 */
import { AttributeMap, AttributeWriter } from "../attribute.ts";
import type { NetlinkMessage, NetlinkRequest } from "../message.ts";
import { Names } from "../names.ts";

// linux/netfilter/nfnetlink.h: NFNL_SUBSYS_NFTABLES, in the upper byte of the message type; batch frame
const SUBSYSTEM = 10;
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const NFNL_BATCH_GENID = 1;
/** sizeof(struct nfgenmsg): u8 family, u8 version, be16 resource id. */
const HEADER_SIZE = 4;

// linux/netfilter/nf_tables.h: enum nf_tables_msg_types
const NEW_TABLE = 0;
const NEW_CHAIN = 3;
const NEW_RULE = 6;
const NEW_SET = 9;
const NEW_ELEMENTS = 12;
const NEW_GENERATION = 15;
const NEW_FLOW_TABLE = 22;

/** The kinds of objects, and the generation; their message types are three in a row: new, get, delete. */
const NFT_OBJECTS = {
  table: NEW_TABLE,
  chain: NEW_CHAIN,
  rule: NEW_RULE,
  set: NEW_SET,
  elements: NEW_ELEMENTS,
  generation: NEW_GENERATION,
  flowtable: NEW_FLOW_TABLE,
} as const;

/** One of {@linkcode NFT_OBJECTS}. */
export type NftObject = keyof typeof NFT_OBJECTS;

/** The family of a table, in nft's words. */
export type NftFamily = "inet" | "ip" | "arp" | "netdev" | "bridge" | "ip6";

/** The family of a table that is for one address family alone. */
export const NFT_FAMILIES = { ipv4: "ip", ipv6: "ip6" } as const;

// linux/netfilter.h: NFPROTO_*
const FAMILIES = new Names<NftFamily>("nf_tables family", {
  inet: 1,
  ip: 2,
  arp: 3,
  netdev: 5,
  bridge: 7,
  ip6: 10,
});

/** The number of a family; 0 for all of them, in a dump. */
function familyNumber(family: NftFamily | undefined): number {
  return family === undefined ? 0 : FAMILIES.number(family);
}

/** The 4 bytes before the attributes. */
function header(family: number, resource = 0): Uint8Array {
  return Uint8Array.of(family, 0, resource >> 8, resource & 0xff);
}

/**
 * A request to a part of nfnetlink: its number in the upper byte of the type, then nfgenmsg and attributes.
 */
export function nfnetlinkRequest(
  subsystem: number,
  message: number,
  options: { family: number; flags?: number; attributes: Uint8Array },
): NetlinkRequest {
  const body = new Uint8Array(HEADER_SIZE + options.attributes.length);
  body.set(header(options.family));
  body.set(options.attributes, HEADER_SIZE);
  return { type: (subsystem << 8) | message, flags: options.flags ?? 0, body };
}

/** A request about an object. */
export function nftRequest(
  object: NftObject,
  verb: "new" | "get" | "delete",
  options: { family: NftFamily | undefined; flags?: number; attributes: Uint8Array },
): NetlinkRequest {
  const verbs = { new: 0, get: 1, delete: 2 };
  return nfnetlinkRequest(SUBSYSTEM, NFT_OBJECTS[object] + verbs[verb], {
    ...options,
    family: familyNumber(options.family),
  });
}

/**
 * The first and the last message of a batch. With a generation the kernel takes the batch only while its
 * rules are still those of this generation.
 */
export function batchFrame(generation?: number): { begin: NetlinkRequest; end: NetlinkRequest } {
  const attributes = generation === undefined
    ? new Uint8Array(0)
    : new AttributeWriter().u32be(NFNL_BATCH_GENID, generation).finish();
  return {
    begin: { type: NFNL_MSG_BATCH_BEGIN, body: Uint8Array.of(...header(0, SUBSYSTEM), ...attributes) },
    end: { type: NFNL_MSG_BATCH_END, body: header(0, SUBSYSTEM) },
  };
}

/** The attributes of an nf_tables message. */
export function nftAttributes(body: Uint8Array): AttributeMap {
  return new AttributeMap(body.subarray(HEADER_SIZE));
}

/** The family and the attributes of an nf_tables message about an object of a table. */
export function readNftBody(body: Uint8Array): { family: NftFamily; attributes: AttributeMap } {
  return { family: FAMILIES.name(body[0]), attributes: nftAttributes(body) };
}

/** All kinds of objects. */
export const NFT_OBJECT_KINDS: readonly NftObject[] = Object.keys(NFT_OBJECTS) as NftObject[];

/** Tells whether a message is about an object of this kind, that is there or has gone. */
export function isNftMessage(
  message: NetlinkMessage,
  object: NftObject,
  verb: "new" | "delete" = "new",
): boolean {
  return message.type === ((SUBSYSTEM << 8) | (NFT_OBJECTS[object] + (verb === "new" ? 0 : 2)));
}
