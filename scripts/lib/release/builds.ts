/**
 * Products of `scripts/build` in dist/, by target.
 * @module
 */
import { exists } from "../build/disk.ts";
import { PROJECT } from "../build/project.ts";
import { runAloud } from "../build/run.ts";
import type { Target } from "../build/target.ts";
import type { PackageFile } from "./content/file.ts";
import { readTree } from "./content/tree.ts";

/** The forms of the program for one target. */
export interface Build {
  readonly target: Target;
  /** The commit that it says it is made of: the first digits, with `-dirty` where the sources differed. */
  readonly commit: string;
  /** The single file that unpacks itself. */
  readonly single: Uint8Array;
  /** The single file that is mounted. */
  readonly image: Uint8Array;
  /** Files of the packages. */
  readonly installed: readonly PackageFile[];
}

/** Has every form built for every target; shows the progress of that. Throws if it fails. */
export function build(): void {
  runAloud("scripts/build", ["--target", "all", "--form", "all"]);
}

/** Reads the forms of a target; throws with what is missing. */
export function readBuild(target: Target, dist = `${PROJECT}/dist`): Build {
  const single = `${dist}/tproxy-${target.arch}`;
  const image = `${single}-image`;
  const tree = `${dist}/installed-${target.arch}`;
  const description = `${tree}/usr/lib/tproxy/program/build.json`;
  const missing = [single, image, `${tree}/usr/bin/tproxy`, description].filter((path) => !exists(path));
  if (missing.length > 0) {
    throw new Error(
      `These are missing, scripts/build --target all --form all makes them: ${missing.join(", ")}`,
    );
  }
  const { commit } = JSON.parse(Deno.readTextFileSync(description));
  return {
    target,
    commit,
    single: Deno.readFileSync(single),
    image: Deno.readFileSync(image),
    installed: readTree(tree),
  };
}
