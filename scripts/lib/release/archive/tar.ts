/**
 * tar archives (POSIX ustar) whose bytes depend on nothing but the files: sorted, owned by root, one time.
 * Pure. The same as `tar --format=ustar --sort=name --numeric-owner --owner=0 --group=0 --mtime=@SECONDS`.
 * @module
 */
import { listDirectories, type PackageFile } from "../content/file.ts";

const BLOCK = 512;
/**
 * Room of the header's field for the name; longer names would need an extension that not every reader knows.
 */
const MAX_NAME = 100;

interface Entry {
  readonly name: string;
  readonly type: "0" | "2" | "5";
  readonly mode: number;
  readonly target?: string;
  readonly content?: Uint8Array;
}

/**
 * Writes the files and their directories below `./`, at a time in seconds since 1970. Throws for names over
 * 100 bytes.
 */
export function writeTar(files: readonly PackageFile[], options: { mtime: number }): Uint8Array {
  const entries = [
    { name: "./", type: "5", mode: 0o755 } as const,
    ...listDirectories(files).map((path): Entry => ({ name: `./${path}/`, type: "5", mode: 0o755 })),
    ...files.map(toEntry),
  ].sort((a, b) => a.name < b.name ? -1 : 1);
  const sizes = entries.map((entry: Entry) => BLOCK + roundUp(entry.content?.length ?? 0));
  // Two empty blocks end the archive.
  const tar = new Uint8Array(sizes.reduce((sum, size) => sum + size, 2 * BLOCK));
  let at = 0;
  entries.forEach((entry: Entry, i) => {
    tar.set(header(entry, options.mtime), at);
    if (entry.content !== undefined) tar.set(entry.content, at + BLOCK);
    at += sizes[i];
  });
  return tar;
}

function toEntry(file: PackageFile): Entry {
  const name = `./${file.path}`;
  return "target" in file
    ? { name, type: "2", mode: 0o777, target: file.target }
    : { name, type: "0", mode: file.mode, content: file.content };
}

function header(entry: Entry, mtime: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string, size: number) => {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > size) throw new RangeError(`Too long for a tar archive: "${text}"`);
    block.set(bytes, at);
  };
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  put(0, entry.name, MAX_NAME);
  put(100, octal(entry.mode, 7), 7);
  put(108, octal(0, 7), 7);
  put(116, octal(0, 7), 7);
  put(124, octal(entry.content?.length ?? 0, 11), 11);
  put(136, octal(mtime, 11), 11);
  put(148, " ".repeat(8), 8);
  put(156, entry.type, 1);
  put(157, entry.target ?? "", MAX_NAME);
  put(257, "ustar\0" + "00", 8);
  put(265, "root", 32);
  put(297, "root", 32);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)}\0 `, 8);
  return block;
}

function roundUp(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
