/**
 * An OpenWrt `.ipk` (up to release 24.10): a tar.gz of a version, the files and the control files, as
 * OpenWrt's `scripts/ipkg-build` makes it. There is no postinst: OpenWrt's usual one would enable and start
 * the service.
 * @module
 */
import { gzip } from "../archive/compress.ts";
import { writeTar } from "../archive/tar.ts";
import { type PackageFile, textFile } from "../content/file.ts";
import { formatIpkControl } from "./control.ts";

/** Parts of an `.ipk`. */
export interface IpkContent {
  readonly version: string;
  readonly files: readonly PackageFile[];
  /** Seconds since 1970 that every file in it has. */
  readonly mtime: number;
  /** Of gzip; tests have no time for 9, the default. */
  readonly level?: number;
}

/**
 * Makes the bytes of one `.ipk` for each of OpenWrt's names of an architecture; their files are compressed
 * once.
 */
export async function makeIpks(
  architectures: readonly string[],
  content: IpkContent,
): Promise<Map<string, Uint8Array>> {
  const { files, mtime } = content;
  const data = await gzip(writeTar(files, { mtime }), content.level);
  const packages = new Map<string, Uint8Array>();
  for (const architecture of architectures) {
    const control = [
      textFile("control", formatIpkControl({ ...content, architecture })),
      ...["prerm", "postrm"].map((path) => (
        { path, mode: 0o755, content: Deno.readFileSync(new URL(path, import.meta.url)) }
      )),
    ];
    const members = [
      textFile("debian-binary", "2.0\n"),
      { path: "data.tar.gz", mode: 0o644, content: data },
      { path: "control.tar.gz", mode: 0o644, content: await gzip(writeTar(control, { mtime })) },
    ];
    // Files that are compressed already are only wrapped.
    packages.set(architecture, await gzip(writeTar(members, { mtime }), 1));
  }
  return packages;
}
