/**
 * What `scripts/build` leaves in dist/, by architecture.
 * @module
 */
import { exists } from "../build/bytes.ts";
import { PROJECT } from "../build/project.ts";
import { runAloud } from "../build/run.ts";
import type { PackageFile } from "./content/file.ts";
import { readTree } from "./content/tree.ts";

/** The processors that a release is for, as `uname -m` names them. */
export const ARCHITECTURES = ["x86_64", "aarch64"] as const;
/** One of them. */
export type Architecture = typeof ARCHITECTURES[number];

/** The forms of the program for one architecture. */
export interface Build {
  /** The single file that unpacks itself. */
  readonly single: Uint8Array;
  /** The single file that is mounted. */
  readonly image: Uint8Array;
  /** What packages hold. */
  readonly installed: readonly PackageFile[];
}

/** Has every form built for every architecture; shows the progress of that. Throws if it fails. */
export function build(): void {
  runAloud("scripts/build", ["--target", "all", "--form", "all"]);
}

/** Reads the forms of an architecture; throws with what is missing. */
export function readBuild(architecture: Architecture, dist = `${PROJECT}/dist`): Build {
  const tree = `${dist}/installed-${architecture}`;
  const files = [`tproxy-${architecture}`, `tproxy-${architecture}-image`].map((name) => `${dist}/${name}`);
  const missing = [...files, `${tree}/usr/bin/tproxy`].filter((path) => !exists(path));
  if (missing.length > 0) {
    throw new Error(
      `These are missing, scripts/build --target all --form all makes them: ${missing.join(", ")}`,
    );
  }
  const [single, image] = files.map((path) => Deno.readFileSync(path));
  return { single, image, installed: readTree(tree) };
}
