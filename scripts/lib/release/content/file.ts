/**
 * A package's files as values, whoever makes them and whichever archive they go into. Pure.
 * @module
 */

/** A plain file of a package; root owns it. */
export interface PlainFile {
  /** Its place, without a slash in front: `usr/bin/tproxy`. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly content: Uint8Array;
}

/** A symbolic link of a package. */
export interface SymbolicLink {
  readonly path: string;
  /** Its target, as `readlink` prints it. */
  readonly target: string;
}

/** An entry of a package; directories follow from the paths. */
export type PackageFile = PlainFile | SymbolicLink;

/** Makes a plain file of a text. */
export function textFile(path: string, text: string, mode = 0o644): PlainFile {
  return { path, mode, content: new TextEncoder().encode(text) };
}

/**
 * Lists every directory that the paths name, parents first, without a slash at the end; the top is not among
 * them.
 */
export function listDirectories(files: readonly PackageFile[]): string[] {
  const directories = new Set<string>();
  for (const { path } of files) {
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
      directories.add(path.slice(0, at));
    }
  }
  return [...directories].sort();
}

/** Puts files together; throws if two have the same path, or a path is not one of a package. */
export function joinFiles(...lists: readonly (readonly PackageFile[])[]): PackageFile[] {
  const byPath = new Map<string, PackageFile>();
  for (const file of lists.flat()) {
    if (!/^[^/]/.test(file.path) || file.path.split("/").some((part) => ["", ".", ".."].includes(part))) {
      throw new RangeError(`Not a path of a package: "${file.path}"`);
    }
    if (byPath.has(file.path)) throw new Error(`Two files of the package are called ${file.path}`);
    byPath.set(file.path, file);
  }
  return [...byPath.values()].sort((a, b) => a.path < b.path ? -1 : 1);
}
