/**
 * Programs the kernel of this machine, looks at what it has, and takes it away again: with nf_tables or with
 * iptables, as the config says (`kernel.backend`).
 *
 * Loads with `--allow-ffi`, and with nf_tables its functions need nothing else. Those that run the programs
 * of iptables, as the config says or because rules of theirs are there, also need `--allow-run`,
 * `--allow-read` and `--allow-env`, to find them. To change anything needs root, or CAP_NET_ADMIN.
 *
 * With `intercept.admission: "forward-path"`, the default, flows are given to a running `tproxy run` alone,
 * which is asked about each. A program that listens itself needs "early".
 *
 * @example
 * ```ts ignore
 * import { DEFAULT_CONFIG, install, readStatus, uninstall } from "@tproxy/tproxy/install";
 *
 * const intercept = { ...DEFAULT_CONFIG.intercept, admission: "early" as const, interfaces: ["br-lan"] };
 * const config = { ...DEFAULT_CONFIG, intercept };
 * const { place } = await install(config);
 * console.log(`installed: ${place}`);
 * for (const { kind, name, state } of (await readStatus(config)).objects) console.log(state, kind, name);
 * await uninstall();
 * ```
 * @module
 */
import type { LoadedConfig } from "../config/load.ts";
import type { Config } from "../config/types.ts";
import type { BackendStatus, InstallReport, Removal } from "../kernel/backend/backend.ts";
import * as backends from "../kernel/backends.ts";
import { preparePlan } from "../kernel/prepare.ts";
import { InstallPlan } from "./install_plan.ts";
import { readTextFile } from "./read_file.ts";

/** An install: what was planned, found and done. */
export interface Installed extends InstallReport {
  /** The plan that the kernel has now. */
  readonly plan: InstallPlan;
}

/** A config that is of no file names nothing: what this machine lacks of it is a warning, not an error. */
function asLoaded(config: Config | LoadedConfig): LoadedConfig {
  return "locate" in config ? config : { config, origin: "a program", locate: () => undefined };
}

/** Reads the machine and plans for it; changes nothing and needs no privilege. Throws OperationError. */
export function planHere(config: Config | LoadedConfig): InstallPlan {
  return new InstallPlan(preparePlan(asLoaded(config), readTextFile, { anew: true }));
}

/**
 * Makes the kernel's state that of the config, all of it or nothing. Throws OperationError. Equivalent to:
 * tproxy install
 */
export async function install(config: Config | LoadedConfig): Promise<Installed> {
  const loaded = asLoaded(config);
  const plan = preparePlan(loaded, readTextFile, { anew: true });
  const report = await backends.install({ plan, config: loaded.config }, readTextFile);
  return { ...report, plan: new InstallPlan(plan) };
}

/**
 * Removes what an install has made, with whatever backend; fine when nothing is there. Equivalent to: tproxy
 * uninstall
 */
export async function uninstall(): Promise<Removal> {
  return await backends.uninstall(readTextFile);
}

/**
 * Looks for every object that the config wants in the kernel. Throws OperationError. Equivalent to: tproxy
 * status
 */
export async function readStatus(config: Config | LoadedConfig): Promise<BackendStatus> {
  const loaded = asLoaded(config);
  return await backends.readStatus(
    { plan: preparePlan(loaded, readTextFile), config: loaded.config },
    readTextFile,
  );
}

export type { BackendStatus, InstallReport, Removal } from "../kernel/backend/backend.ts";
export type { ObjectState, ObjectStatus } from "../kernel/backend/object_status.ts";
export { InstallPlan, type ScriptOptions } from "./install_plan.ts";
export { DEFAULT_CONFIG } from "../config/defaults.ts";
export { type LoadedConfig, loadText } from "../config/load.ts";
export type * from "../config/types.ts";
export type { ConfigPath, Position } from "../config/yaml_source.ts";
export type { LogLevel } from "../log.ts";
export type { Endpoint, Family, IpAddress, Prefix } from "../net/ip.ts";
export { OperationError, type OperationFailure } from "../net/error.ts";
