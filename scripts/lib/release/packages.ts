/**
 * The packages of one target: the installed form, the files of the service manager, documents.
 * @module
 */
import type { Target } from "../build/target.ts";
import { joinFiles, type PackageFile } from "./content/file.ts";
import { makeDeb } from "./deb/deb.ts";
import { OPENWRT_ARCHITECTURES } from "./ipk/control.ts";
import { makeIpks } from "./ipk/ipk.ts";

/** Ingredients of the packages. */
export interface PackageContent {
  readonly version: string;
  /** Seconds since 1970 that every file has. */
  readonly time: number;
  /** The program: `usr/bin/tproxy`, `usr/lib/tproxy/…`. */
  readonly installed: readonly PackageFile[];
  /** Further files of Debian's package. */
  readonly debian: readonly PackageFile[];
  /** Further files of OpenWrt's package. */
  readonly openWrt: readonly PackageFile[];
}

/** Makes the `.deb` and the `.ipk`s of a target: bytes by name of the file. */
export async function makePackages(
  { arch, debianArch: architecture }: Target,
  content: PackageContent,
): Promise<Map<string, Uint8Array>> {
  const { version, time: mtime, installed } = content;
  const debian = joinFiles(installed, content.debian);
  const openWrt = joinFiles(installed, content.openWrt);
  const [deb, ipks] = await Promise.all([
    makeDeb({ version, mtime, architecture, files: debian }),
    makeIpks(OPENWRT_ARCHITECTURES[arch], { version, mtime, files: openWrt }),
  ]);
  const packages = new Map([[`tproxy_${version}_${architecture}.deb`, deb]]);
  for (const [name, bytes] of ipks) packages.set(`tproxy_${version}_${name}.ipk`, bytes);
  return packages;
}
