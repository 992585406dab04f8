/**
 * Notifications of nf_tables. Pure.
 * @module
 */
import type { NetlinkMessage } from "./message.ts";
import { isNftMessage, NFT_OBJECT_KINDS, nftAttributes, type NftObject } from "./nft/message.ts";

/** The name of the table, in the attributes of every object. */
const TABLE = 1;
// linux/netfilter/nf_tables.h: enum nft_gen_attributes
const NFTA_GEN_PROC_PID = 2;
const NFTA_GEN_PROC_NAME = 3;

/** An object that has come or gone; or the end of a transaction, and the program that has made it. */
export type NftNews =
  | {
    readonly kind: Exclude<NftObject, "generation">;
    readonly table: string;
    /** Made, or changed. */
    readonly isNew: boolean;
  }
  | { readonly kind: "generation"; readonly program: string | undefined };

/** Reads a notification; undefined: it is of something else. Throws a RangeError. */
export function readNews(message: NetlinkMessage): NftNews | undefined {
  for (const kind of NFT_OBJECT_KINDS) {
    const isNew = isNftMessage(message, kind);
    if (!isNew && !isNftMessage(message, kind, "delete")) continue;
    const attributes = nftAttributes(message.body);
    if (kind !== "generation") return { kind, table: attributes.string(TABLE) ?? "", isNew };
    const name = attributes.string(NFTA_GEN_PROC_NAME);
    const pid = attributes.u32be(NFTA_GEN_PROC_PID);
    return { kind, program: name === undefined ? undefined : `${name} (${pid})` };
  }
  return undefined;
}
