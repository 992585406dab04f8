/**
 * A `.deb`: an ar archive of a version, the control files and the files, see deb(5).
 * Written here rather than by dpkg-deb(1): no staging directory whose owners, modes and times could differ.
 * @module
 */
import { writeAr } from "../archive/ar.ts";
import { gzip, xz } from "../archive/compress.ts";
import { writeTar } from "../archive/tar.ts";
import { type PackageFile, type PlainFile, textFile } from "../content/file.ts";
import { formatControl, formatMd5sums } from "./control.ts";

/** Parts of a `.deb`. */
export interface DebContent {
  readonly version: string;
  /** Debian's name: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly files: readonly PackageFile[];
  /** Seconds since 1970 that every file in it has. */
  readonly mtime: number;
  /** Leaves the files as they are, for tests that have no half minute for xz. */
  readonly uncompressed?: boolean;
}

/** Makes the bytes of a `.deb`. */
export async function makeDeb(content: DebContent): Promise<Uint8Array> {
  const { files, mtime } = content;
  const control = [
    textFile("control", formatControl(content)),
    textFile("md5sums", formatMd5sums(files)),
    ...["postinst", "prerm", "postrm"].map(readScript),
  ];
  const data = writeTar(files, { mtime });
  const members = [
    { name: "debian-binary", content: new TextEncoder().encode("2.0\n") },
    { name: "control.tar.gz", content: await gzip(writeTar(control, { mtime })) },
    content.uncompressed
      ? { name: "data.tar", content: data }
      : { name: "data.tar.xz", content: await xz(data) },
  ];
  return writeAr(members, { mtime });
}

function readScript(name: string): PlainFile {
  return { path: name, mode: 0o755, content: Deno.readFileSync(new URL(name, import.meta.url)) };
}
