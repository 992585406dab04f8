/**
 * The list of files that OpenWrt's sysupgrade keeps. It drops everything else. Pure.
 * @module
 */
import { DEFAULT_CONFIG_PATH } from "../constants.ts";
import type { BootFile, BootSettings } from "./model.ts";

const PATH = "/lib/upgrade/keep.d/tproxy";

/** A list with the config, the given paths, and itself. */
export function keepFile({ binary, config }: BootSettings, paths: readonly string[]): BootFile {
  const folder = DEFAULT_CONFIG_PATH.slice(0, DEFAULT_CONFIG_PATH.lastIndexOf("/") + 1);
  const configs = config === undefined || config.startsWith(folder) ? [folder] : [folder, config];
  return {
    path: PATH,
    mode: 0o644,
    text: `${[...configs, ...paths, PATH].join("\n")}
# The program is not kept: it would go through the router's memory. Copy it again after an upgrade; until then nothing
# is started, and clients are forwarded. With enough memory, keep it by removing the sign from this line:
#${binary}
`,
  };
}
