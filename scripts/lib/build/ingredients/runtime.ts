/**
 * The runtime: Deno and what it needs of a system. The C library is Debian's for every target, also for this
 * machine: what is shipped does not depend on where it was built, and its version and licence are known.
 * @module
 */
import type { DebianPackage } from "../../debian.ts";
import type { LayerFile } from "../layer.ts";
import { findLibraries, readDynamic } from "../parts/elf.ts";
import { bringNpmPackage } from "../parts/npm.ts";
import { bringDebianPackage } from "../parts/pins.ts";
import { giveUp } from "../run.ts";
import type { Target } from "../target.ts";

/** The packages with the libraries that Deno needs. */
export function runtimePackages(target: Target): DebianPackage[] {
  return ["libc6", "libgcc-s1"].map((name) => bringDebianPackage(name, target));
}

/** Deno for a target, and the C library and loader that it needs. */
export function runtimeFiles(target: Target): LayerFile[] {
  const deno = `${bringNpmPackage(target.denoPackage)}/deno`;
  const directories = runtimePackages(target).flatMap(({ root }) =>
    ["lib", "usr/lib"].map((directory) => `${root}/${directory}/${target.triplet}`)
  );
  const interpreter = readDynamic(deno).interpreter?.split("/").at(-1) ?? giveUp(`${deno} names no loader`);
  const libraries = [...findLibraries(deno, directories)].filter(([name]) => name !== interpreter);
  return [
    { name: "deno", mode: 0o755, content: Deno.readFileSync(deno) },
    ...libraries.map(([name, path]) => ({ name, mode: 0o644, content: Deno.readFileSync(path) })),
    // The name of the loader's file is the name of the process.
    { name: "tproxy", mode: 0o755, content: Deno.readFileSync(`${directories[0]}/${interpreter}`) },
  ];
}
