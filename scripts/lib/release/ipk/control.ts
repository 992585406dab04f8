/**
 * The control file of an OpenWrt package. Pure.
 * @module
 */
import type { PackageFile } from "../content/file.ts";
import { KERNEL_PARTS, type KernelModule } from "../../../../src/kernel/parts.ts";

/**
 * OpenWrt's names of the architectures that a program for these processors serves: opkg installs a package
 * only where /etc/opkg.conf has its very name. generic: Rockchip, Layerscape, armsr; a53: MediaTek Filogic,
 * Raspberry Pi 3, Allwinner; a72: Raspberry Pi 4, Marvell; a76: Raspberry Pi 5.
 */
export const OPENWRT_ARCHITECTURES = {
  x86_64: ["x86_64"],
  aarch64: ["aarch64_generic", "aarch64_cortex-a53", "aarch64_cortex-a72", "aarch64_cortex-a76"],
} as const;

/** The parts of the kernel without which `install` refuses, or first packets cannot ask. */
const NEEDED: readonly KernelModule[] = [
  "nfnetlink",
  "nf_tables",
  "nft_ct",
  "nft_reject_inet",
  "nft_tproxy",
  "nft_socket",
  "nft_fib_inet",
  "nft_nat",
  "nfnetlink_log",
  "nf_conntrack_netlink",
];

/** OpenWrt's packages with what the program needs of the kernel, sorted. */
export function listKernelPackages(): string[] {
  return [...new Set(NEEDED.flatMap((module) => KERNEL_PARTS[module].openWrtPackage.split(" ")))].sort();
}

/** Writes the control file; `Installed-Size` is in bytes, as OpenWrt's own packages have it. */
export function formatIpkControl(
  options: { version: string; architecture: string; files: readonly PackageFile[] },
): string {
  const size = options.files.reduce((sum, file) => sum + ("content" in file ? file.content.length : 0), 0);
  return `Package: tproxy
Version: ${options.version}
Depends: ${listKernelPackages().join(", ")}
License: MIT
Section: net
Architecture: ${options.architecture}
Installed-Size: ${size}
Description:  Transparent proxy for routers, TCP and UDP, IPv4 and IPv6. The package starts nothing and
 programs nothing by itself; begin with "tproxy doctor".
`;
}
