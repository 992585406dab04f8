/**
 * The launcher: the static C program at the head of the product.
 * @module
 */
import type { DebianPackage } from "../../debian.ts";
import { bringDebianPackage } from "../parts/pins.ts";
import { PROJECT } from "../project.ts";
import { run } from "../run.ts";
import { compilerOf, type Target } from "../target.ts";

/** The packages with the libraries that are linked into it, besides those of the compiler. */
export function launcherPackages(target: Target): DebianPackage[] {
  return ["liblzma-dev"].map((name) => bringDebianPackage(name, target));
}

/** No path of this machine and no random number gets in, and nothing that is not used. */
const FLAGS = [
  ..."-std=gnu11 -D_GNU_SOURCE -Os -Wall -Wextra -Wshadow -Wconversion -Werror -static -s".split(" "),
  ..."-ffunction-sections -Wl,--gc-sections -Wl,--build-id=none".split(" "),
  `-ffile-prefix-map=${PROJECT}/=`,
];

/** Compiles ffi/launcher/ into one static program for a target; gives its bytes. */
export function compileLauncher(target: Target): Uint8Array {
  const sources = [...Deno.readDirSync(`${PROJECT}/ffi/launcher`)].map((entry) =>
    `ffi/launcher/${entry.name}`
  )
    .filter((path) => path.endsWith(".c")).sort();
  const roots = launcherPackages(target).map(({ root }) => root);
  const output = Deno.makeTempFileSync({ prefix: "tproxy-launcher-" });
  try {
    run(compilerOf(target), [
      ...FLAGS,
      ...roots.map((root) => `-I${root}/usr/include`),
      "-o",
      output,
      ...sources,
      ...roots.map((root) => `-L${root}/usr/lib/${target.triplet}`),
      "-llzma",
    ]);
    return Deno.readFileSync(output);
  } finally {
    Deno.removeSync(output);
  }
}
