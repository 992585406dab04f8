/**
 * Packages of the program for tests: what dist/ has of it, without the minutes that compressing it takes.
 * @module
 */
import { exists } from "../../../scripts/lib/build/disk.ts";
import { type Target, TARGETS } from "../../../scripts/lib/build/target.ts";
import { bootFiles } from "../../../scripts/lib/release/content/boot.ts";
import { makeDocuments } from "../../../scripts/lib/release/content/documents.ts";
import { joinFiles, type PackageFile } from "../../../scripts/lib/release/content/file.ts";
import { readTree } from "../../../scripts/lib/release/content/tree.ts";
import { makeDeb } from "../../../scripts/lib/release/deb/deb.ts";

const DIST = new URL("../../../dist", import.meta.url).pathname;
/** A processor as the build names it. */
export type Architecture = Target["arch"];
/** The time of everything in the packages. */
export const TIME = 1_700_000_000;

/** The installed form, or else the single file as `usr/bin/tproxy`; undefined: neither is there. */
export function readProgram(architecture: Architecture): readonly PackageFile[] | undefined {
  if (exists(`${DIST}/installed-${architecture}/usr/bin/tproxy`)) {
    return readTree(`${DIST}/installed-${architecture}`);
  }
  const single = architecture === Deno.build.arch ? `${DIST}/tproxy` : `${DIST}/tproxy-${architecture}`;
  if (!exists(single)) return undefined;
  return [{ path: "usr/bin/tproxy", mode: 0o755, content: Deno.readFileSync(single) }];
}

/** Every file of Debian's package. */
export async function debianFiles(
  program: readonly PackageFile[],
  version = "1.0.0",
): Promise<PackageFile[]> {
  const documents = await makeDocuments({ version, commit: "c0ffee", time: TIME });
  return joinFiles(program, bootFiles("systemd"), documents);
}

/** A package of these files. */
export function standInDeb(
  files: readonly PackageFile[],
  options: { version: string; architecture: Architecture },
): Promise<Uint8Array> {
  const { debianArch: architecture } = TARGETS.find(({ arch }) => arch === options.architecture)!;
  return makeDeb({ version: options.version, architecture, files, mtime: TIME, uncompressed: true });
}
