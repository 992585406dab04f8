/**
 * The plan of an install: what a config means on a machine, as data and as a script. Nothing is read and
 * nothing changed.
 *
 * Loads without permissions, and planning needs none. To read a config from YAML needs
 * `--allow-env=LOG_TOKENS,LOG_STREAM`, which the parser asks for, and `--allow-read` for lists of networks
 * that it names by file.
 *
 * @example The script of an install on a machine that is described, not read
 * ```ts
 * import { DEFAULT_CONFIG, planInstall } from "@tproxy/tproxy/plan";
 *
 * const intercept = { ...DEFAULT_CONFIG.intercept, interfaces: ["br-lan"] };
 * const plan = planInstall({ ...DEFAULT_CONFIG, intercept }, {
 *   links: [{ name: "br-lan", loopback: false }, { name: "wan", loopback: false }],
 *   defaultRouteLinks: ["wan"],
 *   foreignRoutes: [],
 *   ipv6: "on",
 *   forwarding: { ipv4: true, ipv6: true },
 * });
 * const script = plan.script({ origin: "an example" });
 * if (!script.includes("nft -f -")) throw new Error(script);
 * ```
 * @module
 */
import type { Config } from "../config/types.ts";
import { planFor } from "../kernel/compilers.ts";
import type { NetworkView } from "../kernel/plan/view.ts";
import { InstallPlan } from "./install_plan.ts";

/**
 * Plans what an install would do on a machine that is described. Throws an OperationError where it cannot be
 * done.
 */
export function planInstall(config: Config, view: NetworkView): InstallPlan {
  return new InstallPlan(planFor({ config, locate: () => undefined }, view));
}

export { InstallPlan, type ScriptOptions } from "./install_plan.ts";
export { DEFAULT_CONFIG } from "../config/defaults.ts";
export { type LoadedConfig, loadText, parseConfig } from "../config/load.ts";
export type * from "../config/types.ts";
export type { ConfigPath, Position } from "../config/yaml_source.ts";
export type { ForeignRoute, NetworkView, ViewedLink } from "../kernel/plan/view.ts";
export type { LogLevel } from "../log.ts";
export type { Endpoint, Family, IpAddress, Prefix } from "../net/ip.ts";
export { OperationError, type OperationFailure } from "../net/error.ts";
