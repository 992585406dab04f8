/**
 * Dumps of nf_tables objects.
 * @module
 */
import { AttributeWriter } from "../attribute.ts";
import type { NetlinkConnection } from "../connection.ts";
import { EINVAL, ENOENT, EOPNOTSUPP } from "../../net/errno.ts";
import { OperationError } from "../../net/error.ts";
import { isNftMessage, type NftFamily, type NftObject, nftRequest } from "./message.ts";

/** The generation is no object of a table. */
type DumpedObject = Exclude<NftObject, "generation">;

const LABELS: Readonly<Record<DumpedObject, string>> = {
  table: "list tables",
  chain: "list chains",
  rule: "list rules",
  set: "list sets",
  elements: "list elements",
  flowtable: "list flowtables",
};

/** The bodies of a dump's messages. A table that does not exist holds nothing. */
export function dumpObjects(
  connection: NetlinkConnection,
  kind: DumpedObject,
  options: { family: NftFamily | undefined; attributes?: Uint8Array; object: string },
): Uint8Array[] {
  const attributes = options.attributes ?? new AttributeWriter().finish();
  const request = nftRequest(kind, "get", { family: options.family, attributes });
  try {
    const messages = connection.dump(request, {
      operation: LABELS[kind],
      object: options.object,
      missingModule: ({ errno }) =>
        kind === "table" && (errno === EINVAL || errno === EOPNOTSUPP) ? "nf_tables" : undefined,
    });
    return messages.filter((message) => isNftMessage(message, kind)).map((message) => message.body);
  } catch (error) {
    if (error instanceof OperationError && error.errno === ENOENT) return [];
    throw error;
  }
}
