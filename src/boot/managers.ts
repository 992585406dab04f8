/**
 * The service managers that tproxy can be started by, and which of them a machine has. Pure.
 * @module
 */
import type { BootFile, BootSettings, ManagerName, ServiceManager } from "./model.ts";
import { OPENRC } from "./openrc.ts";
import { OPENWRT } from "./procd.ts";
import { type Maker, sealFile } from "./seal.ts";
import { SYSTEMD } from "./systemd.ts";

/** In the order in which `--boot auto` looks for them. */
export const MANAGERS: readonly ServiceManager[] = [SYSTEMD, OPENWRT, OPENRC];

/** The one that runs here; undefined: none that is known. */
export function detectManager(has: (path: string) => boolean): ServiceManager | undefined {
  return MANAGERS.find(({ running }) => running.every(has));
}

/** The one of that name. */
export function managerNamed(name: ManagerName): ServiceManager {
  return MANAGERS.find((manager) => manager.name === name)!;
}

/** For whom files are made. */
export interface Order {
  readonly settings: BootSettings;
  /** The command, or a package, whose files `install` and `uninstall` leave alone. */
  readonly maker: Maker;
  /** Tells whether a path is there on the machine that they are for. */
  has(path: string): boolean;
}

/** Every file of a manager, ready to be written. */
export function bootFiles(manager: ServiceManager, { settings, maker, has }: Order): BootFile[] {
  return manager.files(settings, has)
    .map((file) => sealFile(file, settings, { maker, manager: manager.name }));
}
