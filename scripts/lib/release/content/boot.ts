/**
 * The files of a service manager, as packages have them.
 * @module
 */
import { type PackageFile, textFile } from "./file.ts";

/** Lists them. */
export function bootFiles(manager: "systemd" | "openwrt"): PackageFile[] {
  return manager === "systemd"
    ? [textFile("lib/systemd/system/tproxy.service", "[Service]\nExecStart=/usr/bin/tproxy run\n")]
    : [textFile("etc/init.d/tproxy", "#!/bin/sh /etc/rc.common\n", 0o755)];
}
