/**
 * A directory that is to be copied to `/`, read as the files of a package.
 * @module
 */
import type { PackageFile } from "./file.ts";

/** Reads every file and symbolic link below a directory; modes become 755 or 644, whatever the umask was. */
export function readTree(root: string): PackageFile[] {
  const files: PackageFile[] = [];
  const walk = (directory: string): void => {
    for (const { name } of Deno.readDirSync(`${root}/${directory}`)) {
      const path = directory === "" ? name : `${directory}/${name}`;
      const { isDirectory, isSymlink, mode } = Deno.lstatSync(`${root}/${path}`);
      if (isDirectory) walk(path);
      else if (isSymlink) files.push({ path, target: Deno.readLinkSync(`${root}/${path}`) });
      else {
        const executable = (mode! & 0o100) !== 0;
        files.push({ path, mode: executable ? 0o755 : 0o644, content: Deno.readFileSync(`${root}/${path}`) });
      }
    }
  };
  walk("");
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}
