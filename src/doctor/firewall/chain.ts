/**
 * A base chain of another firewall. Pure.
 * @module
 */
import { CHAIN_PREFIX } from "../../kernel/iptables/compile/model.ts";
import { FAMILIES } from "../../net/families.ts";
import type { Family } from "../../net/ip.ts";
import type { NftChain } from "../../netlink/nft/chain.ts";
import type { NftRule } from "../../netlink/nft/rule.ts";
import type { KnownPacket } from "../packet/known_packet.ts";
import type { WalkedTable } from "../packet/packet_walk.ts";

/** The program that keeps a chain. */
export type FirewallProgram = "nft" | "iptables-nft" | "iptables-legacy";

/** A base chain of another program, with the table that it is in. */
export interface FirewallChain {
  readonly chain: NftChain;
  readonly program: FirewallProgram;
  /** Undefined where this program cannot read it. */
  readonly table: WalkedTable | undefined;
}

/** The address families that a table of a family of nf_tables sees. */
export const TABLE_FAMILIES: Readonly<Record<string, readonly Family[]>> = {
  inet: FAMILIES,
  ip: ["ipv4"],
  ip6: ["ipv6"],
  netdev: FAMILIES,
};

/** Tells whether a packet comes to a chain, once it is at its hook. */
export function sees(
  { chain: { family, base } }: FirewallChain,
  packet: Pick<KnownPacket, "family" | "input">,
): boolean {
  return TABLE_FAMILIES[family].includes(packet.family) &&
    (base?.device === undefined || base.device === packet.input?.name);
}

/** Leaves out the chains of an install with the backend iptables, and the jumps to them. */
export function withoutOurs(rules: readonly NftRule[]): NftRule[] {
  const isOurs = (chain: string | undefined) => chain?.startsWith(CHAIN_PREFIX) === true;
  return rules.filter(({ chain, expressions }) =>
    !isOurs(chain) && !expressions.some((e) => e.kind === "verdict" && isOurs(e.verdict.chain))
  );
}
