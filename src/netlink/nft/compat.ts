/**
 * nft_compat: whether the kernel has an extension of xtables (an iptables match or target). It is asked, not
 * tried: nothing changes but that the kernel may load the module. The codec is pure.
 * @module
 */
import { FAMILY_NUMBERS } from "../../net/families.ts";
import type { Family } from "../../net/ip.ts";
import { AttributeWriter } from "../attribute.ts";
import type { NetlinkConnection } from "../connection.ts";
import type { NetlinkRequest } from "../message.ts";
import { nfnetlinkRequest } from "./message.ts";

// linux/netfilter/nfnetlink.h: NFNL_SUBSYS_NFT_COMPAT; linux/netfilter/nf_tables_compat.h: enum
// nft_compat_attr
const SUBSYSTEM = 11;
const NFNL_MSG_COMPAT_GET = 0;
const NFTA_COMPAT_NAME = 1;
const NFTA_COMPAT_REV = 2;
const NFTA_COMPAT_TYPE = 3;
/** NFTA_COMPAT_TYPE: the kernel's `target` flag. */
const TYPES = { match: 0, target: 1 } as const;

/** An extension of xtables. */
export interface XtablesExtension {
  /** Family of the tables it is for. */
  readonly family: Family;
  /** `-m` or `-j`. */
  readonly type: "match" | "target";
  /** Its name in iptables: `TPROXY`, `socket`. */
  readonly name: string;
  /** The revision of its structure that is wanted. */
  readonly revision: number;
}

/** The request NFNL_MSG_COMPAT_GET. */
export function extensionRequest(extension: XtablesExtension): NetlinkRequest {
  const attributes = new AttributeWriter()
    .string(NFTA_COMPAT_NAME, extension.name)
    .u32be(NFTA_COMPAT_REV, extension.revision)
    .u32be(NFTA_COMPAT_TYPE, TYPES[extension.type])
    .finish();
  return nfnetlinkRequest(SUBSYSTEM, NFNL_MSG_COMPAT_GET, {
    family: FAMILY_NUMBERS[extension.family],
    attributes,
  });
}

/**
 * Throws an OperationError unless the kernel has the extension: ENOENT without it, EPROTONOSUPPORT with other
 * revisions only, EINVAL or EOPNOTSUPP without nft_compat. Equivalent to: what iptables-nft asks before it
 * adds a rule
 */
export function requireExtension(connection: NetlinkConnection, extension: XtablesExtension): void {
  const { family, type, name } = extension;
  connection.execute(extensionRequest(extension), {
    operation: "ask for xtables extension",
    object: `${family} ${type} ${name}`,
  });
}
