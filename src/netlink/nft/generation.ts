/**
 * The generation of all rules of a network namespace: a number that each change of nf_tables moves on. The
 * codec is pure.
 * @module
 */
import { AttributeWriter } from "../attribute.ts";
import type { NetlinkConnection } from "../connection.ts";
import { required } from "./data.ts";
import { isNftMessage, nftAttributes, nftRequest } from "./message.ts";

// linux/netfilter/nf_tables.h: enum nft_gen_attributes
const NFTA_GEN_ID = 1;

/** Reads the body of NFT_MSG_NEWGEN. */
function decodeGeneration(body: Uint8Array): number {
  return required(nftAttributes(body).u32be(NFTA_GEN_ID), "NFTA_GEN_ID");
}

/**
 * Reads the generation. Ask for it before you read rules, and hand it to NftBatch.commit with the changes.
 */
export function readGeneration(connection: NetlinkConnection): number {
  const request = nftRequest("generation", "get", {
    family: undefined,
    attributes: new AttributeWriter().finish(),
  });
  const purpose = { operation: "read", object: "generation of nf_tables" };
  const answer = connection.execute(request, purpose).find((message) => isNftMessage(message, "generation"));
  return decodeGeneration(required(answer, "NFT_MSG_NEWGEN").body);
}
