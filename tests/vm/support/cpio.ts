/**
 * A tree as a cpio archive of the format "newc", which the kernel unpacks as its first root
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 * @module
 */
import type { Entry, Tree } from "./tree.ts";

const TYPES = { file: 0o100000, link: 0o120000, directory: 0o040000 };

/** Writes the archive, not compressed: the emulated processor would have to unpack it. */
export function writeCpio(path: string, tree: Tree): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  let inode = 1;
  for (const [name, entry] of tree.entries()) writeEntry(file, inode++, name, entry);
  writeEntry(file, 0, "TRAILER!!!", { kind: "file", mode: 0, content: new Uint8Array() });
}

function writeEntry(file: Deno.FsFile, inode: number, name: string, entry: Entry): void {
  const content = entry.kind === "file"
    ? entry.content
    : new TextEncoder().encode(entry.kind === "link" ? entry.target : "");
  const mode = TYPES[entry.kind] | (entry.kind === "file" ? entry.mode : 0o755);
  const nameBytes = new TextEncoder().encode(`${name}\0`);
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, nameBytes.length, 0];
  const header = "070701" + fields.map((field) => field.toString(16).padStart(8, "0")).join("");
  writePadded(file, new Uint8Array([...new TextEncoder().encode(header), ...nameBytes]));
  writePadded(file, content);
}

/** Header with name, and content, each end at a multiple of four bytes. */
function writePadded(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  const rest = (4 - bytes.length % 4) % 4;
  if (rest > 0) file.writeSync(new Uint8Array(rest));
}
