/**
 * The control file of a `.deb` and what else describes it: see deb-control(5). Pure.
 * @module
 */
import { createHash } from "node:crypto";
import { listDirectories, type PackageFile } from "../content/file.ts";

/**
 * Writes the control file. The package needs no other: it brings its own runtime and speaks to the kernel
 * directly.
 */
export function formatControl(
  options: { version: string; architecture: string; files: readonly PackageFile[] },
): string {
  return `Package: tproxy
Version: ${options.version}
Architecture: ${options.architecture}
Maintainer: The tproxy authors <tproxy@tproxy.invalid>
Installed-Size: ${installedSize(options.files)}
Section: net
Priority: optional
Description: transparent proxy for Linux routers
 Makes a Linux router a transparent proxy for TCP and UDP, IPv4 and IPv6:
 "tproxy install" programs nf_tables and policy routing, "tproxy run" relays
 the connections of the clients behind the router, which need no setting.
 .
 The package starts nothing and programs nothing by itself. Begin with
 "tproxy doctor", which tells what on this router would stop it.
`;
}

/** KiB that dpkg-gencontrol(1) would count: each file rounded up, one for each directory and link. */
function installedSize(files: readonly PackageFile[]): number {
  const kibibytes = files.map((file) => "content" in file ? Math.ceil(file.content.length / 1024) : 1);
  return kibibytes.reduce((sum, size) => sum + size, 0) + listDirectories(files).length;
}

/** The checksums that `dpkg --verify` compares with. */
export function formatMd5sums(files: readonly PackageFile[]): string {
  return files.flatMap((file) =>
    "content" in file ? [`${createHash("md5").update(file.content).digest("hex")}  ${file.path}\n`] : []
  ).join("");
}
