/**
 * Decides what `install --boot` writes, before anything is changed.
 * @module
 */
import { bootFiles, detectManager, managerNamed } from "../../boot/managers.ts";
import {
  type BootFile,
  type BootSettings,
  type ManagerName,
  sameSettings,
  type ServiceManager,
} from "../../boot/model.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { OperationError } from "../../net/error.ts";
import type { Env } from "../env.ts";
import { makeSettings } from "./settings.ts";
import { type FoundBoot, lookAt } from "./state.ts";

/** Values of `--boot`. */
export type BootChoice = "auto" | ManagerName | "none";

/** Changes to be made for a start at boot. */
export interface BootPlan {
  readonly manager: ServiceManager;
  readonly settings: BootSettings;
  /** All files that are wanted, whatever is there: for a dry run. */
  readonly files: readonly BootFile[];
  readonly writes: readonly BootFile[];
  /** Files that are right already. */
  readonly unchanged: readonly string[];
  /** Changed by the administrator: left alone. */
  readonly left: readonly string[];
  /** The package has brought the file that starts the program; nothing need be written. */
  readonly packaged: boolean;
  readonly enabled: boolean;
  readonly live: boolean;
}

/** Facts from which a plan is made. */
export interface BootRequest {
  readonly loaded: LoadedConfig;
  readonly choice: Exclude<BootChoice, "none">;
  /** Its name in boot files; undefined: the usual one. */
  readonly config: string | undefined;
  /** Files of others, and changes by hand, are written over. */
  readonly force: boolean;
}

/** Throws an OperationError where it cannot be. Reads only. */
export function planBoot(env: Env, { loaded, choice, config, force }: BootRequest): BootPlan {
  const manager = chooseManager(env, choice);
  const settings = makeSettings(env, loaded, { manager, config });
  const found = lookAt(manager, env.files);
  const packaged = !force && usesPackage(found, settings);
  const has = (path: string) => env.files.stat(path) !== undefined;
  const files = packaged ? [] : bootFiles(manager, { settings, maker: "install", has });
  const writes: BootFile[] = [];
  const unchanged: string[] = [];
  const left: string[] = [];
  for (const file of files) {
    const there = found.files.find(({ path }) => path === file.path);
    if (there === undefined || force) writes.push(file);
    else if (there.text === file.text || there.owner === "package") unchanged.push(file.path);
    else if (there.owner === "ours") writes.push(file);
    else if (there.owner === "changed") left.push(file.path);
    else throw foreign(file.path);
  }
  const { enabled, live } = found;
  return { manager, settings, files, writes, unchanged, left, packaged, enabled, live };
}

function chooseManager({ files }: Env, choice: BootRequest["choice"]): ServiceManager {
  const has = (path: string) => files.stat(path) !== undefined;
  if (choice === "auto") {
    const manager = detectManager(has);
    if (manager !== undefined) return manager;
    throw new OperationError({
      operation: "find",
      object: "service manager",
      reason: "neither systemd nor OpenWrt's procd nor OpenRC runs here",
      hint: 'Start "tproxy install" and then "tproxy run" from what runs at boot, such as /etc/rc.local',
    });
  }
  const manager = managerNamed(choice);
  if (manager.installed.some(has)) return manager;
  throw new OperationError({
    operation: "use service manager",
    object: choice,
    reason: `there is no ${manager.installed.join(" and no ")}`,
    hint: "--boot auto finds the one that runs here",
  });
}

/**
 * Tells whether the file of a package is what is wanted. Throws where it is not, and nothing can stand in its
 * place.
 */
function usesPackage({ manager, service }: FoundBoot, settings: BootSettings): boolean {
  if (service?.seal?.maker !== "package") return false;
  const there = service.seal.settings;
  if (sameSettings(settings, there)) return true;
  if (manager.service !== manager.packaged) return false; // one of ours goes before it
  if (settings.binary === there.binary && settings.config === there.config) return true;
  throw new OperationError({
    operation: "write",
    object: service.path,
    reason: `it belongs to the package tproxy, and starts ${there.binary} with ${
      there.config ?? "the usual config"
    }`,
    hint: "Put the config into /etc/tproxy/tproxy.yaml, or use --force",
  });
}

function foreign(path: string): OperationError {
  return new OperationError({
    operation: "write",
    object: path,
    reason: "there is a file that tproxy did not make",
    hint: "Move it away, or use --force to write over it",
  });
}
