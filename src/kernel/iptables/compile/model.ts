/**
 * The rules of the iptables backend as data: for each family the chains of our own in the tables mangle,
 * filter and raw, and the jumps to them from the built-in chains. Pure.
 * @module
 */
import type { Family } from "../../../net/ip.ts";

/** A table that chains of ours are in. */
export type TableName = "raw" | "mangle" | "filter";

/** A rule as `iptables-save` prints it, without `-A CHAIN`. */
export interface IptablesRule {
  /** `-p udp -g TPROXY_INTERCEPT` */
  readonly text: string;
  /** The reason for it, for the administrator; not in the kernel. */
  readonly reason: string;
}

/** A chain of our own. */
export interface IptablesChain {
  /** Name that begins with {@linkcode CHAIN_PREFIX}. */
  readonly name: string;
  readonly rules: readonly IptablesRule[];
  /** The reason for it, for the administrator. */
  readonly reason: string;
}

/** A rule of a built-in chain that leads to a chain of ours; an install makes it the first one there. */
export interface IptablesJump {
  /** `PREROUTING` */
  readonly from: string;
  /** `-j TPROXY_DIVERT` */
  readonly text: string;
}

/** Our chains and jumps in one table. */
export interface TableRules {
  readonly table: TableName;
  readonly chains: readonly IptablesChain[];
  readonly jumps: readonly IptablesJump[];
}

/** Our tables of one family, in the order in which they are loaded: `raw`, which begins to steer, is last. */
export interface FamilyRules {
  readonly family: Family;
  readonly tables: readonly TableRules[];
}

/** The names of our chains begin so. */
export const CHAIN_PREFIX = "TPROXY_";

/**
 * In each table, a chain that nothing leads to: its rule has {@linkcode OWNER_COMMENT} and tells whose the
 * chains are.
 */
export const OWNER_CHAIN = `${CHAIN_PREFIX}OWNER`;

/** The names of chains on trial begin so; a name has 28 characters at most. */
export const TRIAL_CHAIN_PREFIX = `${CHAIN_PREFIX}T_`;

/** In a table of an install, the chain that tells what a trial has made beside it. */
export const TRIAL_OWNER_CHAIN = `${TRIAL_CHAIN_PREFIX}OWNER`;

/** The comment of that rule begins so. */
export const OWNER_COMMENT = "made by tproxy install";

/** The list of the match `recent` with servers in the LAN that others talk to over UDP. */
export function serversList(family: Family): string {
  return `tproxy_servers_${family}`;
}

/** The list of those who talk to them. */
export function peersList(family: Family): string {
  return `tproxy_peers_${family}`;
}
