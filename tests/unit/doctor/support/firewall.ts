/** Firewalls of other programs, for tests: chains with rules in nf_tables' words. */
import type { FirewallChain, FirewallProgram } from "../../../../src/doctor/firewall/chain.ts";
import type { FirewallFacts } from "../../../../src/doctor/machine/firewalls.ts";
import { writeXtablesPart } from "../../../../src/doctor/packet/xtables_part.ts";
import type { BaseChain } from "../../../../src/netlink/nft/chain.ts";
import type { NftExpression } from "../../../../src/netlink/nft/expression.ts";
import { OperationError } from "../../../../src/net/error.ts";
import { EPERM } from "../../../../src/net/errno.ts";

/** A rule: its expressions. */
export type Rule = readonly NftExpression[];

/** A base chain: where it is, its rules, and chains that it leads to. */
export interface ChainText {
  readonly hook: BaseChain["hook"];
  readonly rules?: readonly Rule[];
  readonly policy?: "accept" | "drop";
  readonly priority?: number;
  readonly type?: BaseChain["type"];
  readonly family?: "inet" | "ip" | "ip6" | "netdev";
  readonly device?: string;
  readonly table?: string;
  readonly name?: string;
  readonly program?: FirewallProgram;
  /** Chains by name. */
  readonly further?: Readonly<Record<string, readonly Rule[]>>;
  /** Cannot be read. */
  readonly unread?: true;
}

/** Makes a chain of it. */
export function chainOf({ rules = [], further = {}, ...text }: ChainText): FirewallChain {
  const { hook, family = "inet", table = "t", name = hook, program = "nft" } = text;
  const where = { family, table };
  const all = Object.entries({ [name]: rules, ...further }).flatMap(([chain, list]) =>
    list.map((expressions) => ({ ...where, chain, expressions }))
  ).map((rule, index) => ({ ...rule, handle: BigInt(index + 1) }));
  const base = {
    type: text.type ?? "filter",
    hook,
    priority: text.priority ?? 0,
    policy: text.policy ?? "accept",
    ...text.device === undefined ? {} : { device: text.device },
  };
  return {
    chain: { ...where, name, base },
    program,
    table: text.unread === true ? undefined : { rules: all, findSet: () => undefined },
  };
}

/** Facts of a machine with these chains and nothing else. */
export function firewallsWith(...chains: readonly ChainText[]): FirewallFacts {
  return {
    owner: "nobody",
    chains: chains.map(chainOf),
    iptables: { programs: [], chains: [], obstacle: "" },
    legacyChains: [],
    obstacle: undefined,
  };
}

/** Facts where only root may look. */
export const FORBIDDEN: FirewallFacts = {
  ...firewallsWith(),
  chains: undefined,
  obstacle: new OperationError({ operation: "list chains", object: "", errno: EPERM }),
};

/** `-j NAME`, with its structure. */
export function target(name: string, info: readonly number[] = [], revision = 0): NftExpression {
  return writeXtablesPart("target", { name, revision, info: Uint8Array.from(info) });
}

/** `-m NAME`, with its structure. */
export function match(name: string, info: readonly number[] = []): NftExpression {
  return writeXtablesPart("match", { name, revision: 0, info: Uint8Array.from(info) });
}

/** `-j MARK --set-xmark VALUE/MASK` */
export function setMark(value: number, mask: number): NftExpression {
  const info = new Uint8Array(8);
  new Uint32Array(info.buffer).set([value, mask]);
  return target("MARK", [...info], 2);
}
