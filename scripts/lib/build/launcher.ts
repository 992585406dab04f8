/**
 * The launcher: the static C program at the head of the product.
 * @module
 */
import { PROJECT } from "./project.ts";
import { run } from "./run.ts";

/** Compiles ffi/launcher/ into one static program; gives its bytes. */
export function compileLauncher(output: string): Uint8Array {
  const directory = `${PROJECT}/ffi/launcher`;
  const sources = [...Deno.readDirSync(directory)].map((entry) => `ffi/launcher/${entry.name}`)
    .filter((path) => path.endsWith(".c")).sort();
  run("gcc", [
    ..."-std=gnu11 -D_GNU_SOURCE -Os -Wall -Wextra -Wshadow -Wconversion -Werror -static -s".split(" "),
    ..."-ffunction-sections -Wl,--gc-sections".split(" "),
    "-o",
    output,
    ...sources,
    "-llzma",
  ]);
  return Deno.readFileSync(output);
}
