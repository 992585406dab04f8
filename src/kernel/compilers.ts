/**
 * The compilers of the backends, and the whole plan of a config: with what its backend has to say. Pure.
 * @module
 */
import type { LoadedConfig } from "../config/load.ts";
import type { Config } from "../config/types.ts";
import type { Compiler } from "./backend/compiler.ts";
import { IPTABLES_COMPILER } from "./iptables/compiler.ts";
import { NFT_COMPILER } from "./nft/compiler.ts";
import type { Plan } from "./plan/model.ts";
import { planInstall, type PlanOptions } from "./plan/plan.ts";
import type { NetworkView } from "./plan/view.ts";

const COMPILERS: Readonly<Record<Compiler["name"], Compiler>> = {
  iptables: IPTABLES_COMPILER,
  netlink: NFT_COMPILER,
};
const FORMATS: Readonly<Record<Compiler["format"], Compiler>> = {
  iptables: IPTABLES_COMPILER,
  nft: NFT_COMPILER,
};

/** Gives the compiler of the backend that the config names. */
export function compilerOf({ kernel }: Pick<Config, "kernel">): Compiler {
  return COMPILERS[kernel.backend];
}

/** Gives the compiler whose rules are written in this language. */
export function compilerWithFormat(format: Compiler["format"]): Compiler {
  return FORMATS[format];
}

/**
 * Plans for a machine, with the warnings of the backend. Throws an OperationError where no plan can be made.
 */
export function planFor(
  { config, locate }: Pick<LoadedConfig, "config" | "locate">,
  view: NetworkView,
  options: Omit<PlanOptions, "familiesNamed"> = {},
): Plan {
  const familiesNamed = locate(["intercept", "families"]) !== undefined;
  const plan = planInstall(config, view, { ...options, familiesNamed });
  return { ...plan, warnings: [...plan.warnings, ...compilerOf(config).warnings(plan)] };
}
