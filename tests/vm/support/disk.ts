/**
 * A tree as a disk with ext4, the root of a machine whose files are not in memory.
 * @module
 */
import { runProgram } from "../../laboratory/program.ts";
import type { Tree } from "./tree.ts";

/** Makes the image with mke2fs; throws, with what it says, if the tree does not fit. */
export async function writeDisk(path: string, tree: Tree, sizeMb: number): Promise<void> {
  const directory = `${path}.tree`;
  Deno.mkdirSync(directory);
  writeDirectory(directory, tree);
  // No journal and no blocks kept for root: as much room as a router's own image of that size has.
  const options = ["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-E", "root_owner=0:0"];
  await runProgram(["/sbin/mke2fs", ...options, "-d", directory, path, `${sizeMb}M`]);
  Deno.removeSync(directory, { recursive: true });
}

/** Writes a tree into a directory that is there. */
export function writeDirectory(directory: string, tree: Tree): void {
  for (const [name, entry] of tree.entries()) {
    const target = `${directory}/${name}`;
    if (entry.kind === "directory") Deno.mkdirSync(target, { recursive: true });
    else if (entry.kind === "link") Deno.symlinkSync(entry.target, target);
    else {
      Deno.writeFileSync(target, entry.content);
      Deno.chmodSync(target, entry.mode);
    }
  }
}
