/**
 * nf_tables chains. The codec is pure.
 * @module
 */
import { AttributeWriter } from "../attribute.ts";
import type { NetlinkConnection } from "../connection.ts";
import { Names } from "../names.ts";
import { required } from "./data.ts";
import { dumpObjects } from "./dump.ts";
import { type NftFamily, readNftBody } from "./message.ts";
import type { TableName } from "./table.ts";
import { decodeComment, encodeComment } from "./user_data.ts";

// linux/netfilter/nf_tables.h: enum nft_chain_attributes, enum nft_hook_attributes
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_HANDLE = 2;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_POLICY = 5;
const NFTA_CHAIN_TYPE = 7;
const NFTA_CHAIN_USERDATA = 12;
const NFTA_HOOK_HOOKNUM = 1;
const NFTA_HOOK_PRIORITY = 2;
const NFTA_HOOK_DEV = 3;

/** A place on a packet's way. */
export type Hook = "prerouting" | "input" | "forward" | "output" | "postrouting" | "ingress" | "egress";
/** Verdict on a packet that reaches the end of a base chain. */
export type ChainPolicy = "accept" | "drop";

// linux/netfilter.h: enum nf_inet_hooks, enum nf_dev_hooks; linux/netfilter_arp.h
const INET_HOOKS = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4, ingress: 5 } as const;
const HOOKS: Readonly<Record<"inet" | "arp" | "netdev", Names<Hook>>> = {
  inet: new Names<Hook>("hook", { ...INET_HOOKS, egress: 6 }),
  arp: new Names<Hook>("hook", {
    input: 0,
    output: 1,
    forward: 2,
    prerouting: 3,
    postrouting: 4,
    ingress: 5,
    egress: 6,
  }),
  netdev: new Names<Hook>("hook", {
    ingress: 0,
    egress: 1,
    prerouting: 2,
    input: 3,
    forward: 4,
    output: 5,
    postrouting: 6,
  }),
};
const POLICIES = new Names<ChainPolicy>("chain policy", { drop: 0, accept: 1 });

/** Name of a chain, with its table. */
export interface ChainName {
  /** Family of the table. */
  readonly family: NftFamily;
  /** Its table. */
  readonly table: string;
  /** Its name. */
  readonly name: string;
}

/** Place of a base chain. */
export interface BaseChain {
  /** Its type (NFTA_CHAIN_TYPE). */
  readonly type: "filter" | "route" | "nat";
  /** Its point in the packet's way (NFTA_HOOK_HOOKNUM). */
  readonly hook: Hook;
  /** Lower comes first; conntrack is at -200. */
  readonly priority: number;
  /** Left to the kernel (accept) if it is not given; a dump has it. */
  readonly policy?: ChainPolicy;
  /** For `ingress` and `egress`. */
  readonly device?: string;
}

/** A chain; without `base` a regular one, which rules jump to. */
export interface NftChain extends ChainName {
  /** Its hook; absent: only jumped to. */
  readonly base?: BaseChain;
  /** For the administrator, as nft shows it. */
  readonly comment?: string;
  /** The kernel's number of it; known after a dump. */
  readonly handle?: bigint;
}

function hooksOf(family: NftFamily): Names<Hook> {
  return family === "netdev" || family === "arp" ? HOOKS[family] : HOOKS.inet;
}

/** The attributes of NFT_MSG_NEWCHAIN. */
export function encodeChain(chain: NftChain): Uint8Array {
  const writer = new AttributeWriter()
    .string(NFTA_CHAIN_TABLE, chain.table)
    .string(NFTA_CHAIN_NAME, chain.name);
  const base = chain.base;
  if (base !== undefined) {
    writer.string(NFTA_CHAIN_TYPE, base.type);
    if (base.policy !== undefined) writer.u32be(NFTA_CHAIN_POLICY, POLICIES.number(base.policy));
    writer.nest(NFTA_CHAIN_HOOK, (hook) => {
      hook.u32be(NFTA_HOOK_HOOKNUM, hooksOf(chain.family).number(base.hook));
      hook.u32be(NFTA_HOOK_PRIORITY, base.priority);
      if (base.device !== undefined) hook.string(NFTA_HOOK_DEV, base.device);
    });
  }
  if (chain.comment !== undefined) writer.bytes(NFTA_CHAIN_USERDATA, encodeComment(chain.comment));
  return writer.finish();
}

/** The attributes that name a chain. */
export function encodeChainName(chain: ChainName): Uint8Array {
  return new AttributeWriter()
    .string(NFTA_CHAIN_TABLE, chain.table)
    .string(NFTA_CHAIN_NAME, chain.name)
    .finish();
}

/** Reads the body of NFT_MSG_NEWCHAIN. */
export function decodeChain(body: Uint8Array): NftChain {
  const { family, attributes } = readNftBody(body);
  const comment = decodeComment(attributes.bytes(NFTA_CHAIN_USERDATA));
  const handle = attributes.u64be(NFTA_CHAIN_HANDLE);
  const hook = attributes.nested(NFTA_CHAIN_HOOK);
  const policy = attributes.u32be(NFTA_CHAIN_POLICY);
  const device = hook?.string(NFTA_HOOK_DEV);
  const base: BaseChain | undefined = hook && {
    type: required(attributes.string(NFTA_CHAIN_TYPE), "NFTA_CHAIN_TYPE") as BaseChain["type"],
    hook: hooksOf(family).name(hook.u32be(NFTA_HOOK_HOOKNUM)),
    priority: required(hook.i32be(NFTA_HOOK_PRIORITY), "NFTA_HOOK_PRIORITY"),
    ...(policy === undefined ? {} : { policy: POLICIES.name(policy) }),
    ...(device === undefined ? {} : { device }),
  };
  return {
    family,
    table: required(attributes.string(NFTA_CHAIN_TABLE), "NFTA_CHAIN_TABLE"),
    name: required(attributes.string(NFTA_CHAIN_NAME), "NFTA_CHAIN_NAME"),
    ...(base === undefined ? {} : { base }),
    ...(comment === undefined ? {} : { comment }),
    ...(handle === undefined ? {} : { handle }),
  };
}

/** All chains, or those of one table, in the kernel's order. Equivalent to: nft list chains */
export function listChains(connection: NetlinkConnection, table?: TableName): NftChain[] {
  const bodies = dumpObjects(connection, "chain", { family: table?.family, object: table?.name ?? "" });
  const chains = bodies.map(decodeChain);
  return table === undefined ? chains : chains.filter((chain) => chain.table === table.name);
}
