/**
 * The files of a service manager as a package has them: what `install --boot` would write, in the package's
 * name. Pure.
 * @module
 */
import { bootFiles as filesOf, managerNamed } from "../../../../src/boot/managers.ts";
import type { BootSettings, ManagerName } from "../../../../src/boot/model.ts";
import { DEFAULT_CONFIG } from "../../../../src/config/defaults.ts";
import { type PackageFile, textFile } from "./file.ts";

/** The program of the package, with the defaults of the config. */
const SETTINGS: BootSettings = {
  binary: "/usr/bin/tproxy",
  drainSeconds: DEFAULT_CONFIG.timeouts.drainMs / 1000,
  mark: DEFAULT_CONFIG.kernel.mark,
  backend: DEFAULT_CONFIG.kernel.backend,
};

/** Lists the files, for a machine that has all that the manager looks for. */
export function bootFiles(name: ManagerName): PackageFile[] {
  const manager = managerNamed(name);
  const order = { settings: SETTINGS, maker: "package", has: () => true } as const;
  return filesOf(manager, order).map(({ path, text, mode }) =>
    textFile((path === manager.service ? manager.packaged : path).slice(1), text, mode)
  );
}
