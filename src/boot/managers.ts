/**
 * The service managers that tproxy can be started by, and which of them a machine has. Pure.
 * @module
 */
import type { ManagerName, ServiceManager } from "./model.ts";
import { OPENRC } from "./openrc.ts";
import { OPENWRT } from "./procd.ts";
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
