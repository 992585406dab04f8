/**
 * Situation on which every check of the machine rests. Plain data: read once, judged by many. Pure.
 * @module
 */
import type { Config } from "../config/types.ts";
import type { Family } from "../net/ip.ts";
import type { Link } from "../netlink/route/link.ts";
import type { NetworkView } from "../kernel/plan/view.ts";
import type { Process } from "./machine/processes.ts";

/** The machine and the config. */
export interface Situation {
  readonly config: Config;
  /** Families that an install would intercept: of the config, without IPv6 where the machine has it off. */
  readonly families: readonly Family[];
  /** Interfaces of the clients. */
  readonly lan: readonly string[];
  /** The other interfaces. */
  readonly others: readonly string[];
  readonly links: readonly Link[];
  readonly view: NetworkView;
  readonly processes: readonly Process[];
}

/** The names of the programs that run. */
export function programNames({ processes }: Situation): string[] {
  return processes.map(({ name }) => name);
}

/** Tells whether `mark/mask` can ask for marks with one of these bits set. */
export function overlaps(rule: { mark: number; mask: number }, bits: number): boolean {
  return (rule.mask & bits) !== 0 && (rule.mark & bits) === (rule.mask & bits);
}
