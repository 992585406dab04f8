/**
 * The situation that every check judges by: plain data, read once. Pure.
 *
 * `Situation` is all of it; `NetworkView`, one part, is what a plan needs to know of the network.
 * @module
 */
import type { Config } from "../config/types.ts";
import type { AdmissionInForce } from "../kernel/admission.ts";
import type { Plan } from "../kernel/plan/model.ts";
import type { NetworkView } from "../kernel/plan/view.ts";
import { Marks } from "../marks.ts";
import type { OperationError } from "../net/error.ts";
import type { Family, Prefix } from "../net/ip.ts";
import type { Link } from "../netlink/route/link.ts";
import type { Process } from "./machine/processes.ts";

/** The plan of an install, and what is in its way; one of both is there, or both. */
export interface Planned {
  readonly plan?: Plan;
  readonly obstacle?: OperationError;
}

/** A network that an interface has an address of. */
export interface LinkNetwork {
  readonly link: string;
  readonly prefix: Prefix;
}

/** The machine and the config. */
export interface Situation {
  readonly config: Config;
  readonly planned: Planned;
  readonly admission: AdmissionInForce;
  /** The way in which flows are watched for their names; undefined: no name asks for it. */
  readonly watching?: string | undefined;
  /** Families that an install would intercept: of the config, without IPv6 where the machine has it off. */
  readonly families: readonly Family[];
  /** Interfaces of the clients. */
  readonly lan: readonly string[];
  /** The other interfaces. */
  readonly others: readonly string[];
  /** All interfaces, in detail. */
  readonly links: readonly Link[];
  /** Networks of the interfaces' addresses, those of one link alone left out. */
  readonly networks: readonly LinkNetwork[];
  /** The network as the plan saw it. */
  readonly network: NetworkView;
  readonly processes: readonly Process[];
}

/** Lists the names of the programs that run. */
export function programNames({ processes }: Situation): string[] {
  return processes.map(({ name }) => name);
}

/** The marks of an install on this machine. */
export function marksOf({ config, admission }: Pick<Situation, "config" | "admission">): Marks {
  return new Marks(config.kernel.mark, { apart: admission.inForce === "forward-path" });
}

/** Tells whether marks with one of these bits set can be what `mark/mask` asks for. */
export function overlaps(rule: { mark: number; mask: number }, bits: number): boolean {
  return (rule.mask & bits) !== 0 && (rule.mark & bits) === (rule.mask & bits);
}
