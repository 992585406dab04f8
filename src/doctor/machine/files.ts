/**
 * The files of the machine that doctor reads: /proc, /etc, /lib/modules. A file that cannot be read counts as
 * missing.
 * @module
 */
import { fileSystemOf } from "../../../ffi/process.ts";

/** Reads files; nothing of it throws. */
export interface MachineFiles {
  /** The text of a file. */
  readText(path: string): string | undefined;
  /** The bytes of a file. */
  readBytes(path: string): Uint8Array<ArrayBuffer> | undefined;
  /** Lists the names in a directory, sorted; none where the machine has no such directory. */
  list(directory: string): readonly string[];
  /** The target of a symbolic link. */
  readLink(path: string): string | undefined;
  /** The file system that a path is on. */
  fileSystem(path: string): FileSystem | undefined;
}

/** A file system. */
export interface FileSystem {
  /** f_type of statfs(2). */
  readonly type: number;
  readonly freeBytes: number;
}

/** The real files; texts through `readTextFile`, which throws Deno's errors. */
export function systemFiles(readTextFile: (path: string) => string): MachineFiles {
  return {
    readText: (path) => orUndefined(() => readTextFile(path)),
    readBytes: (path) => orUndefined(() => Deno.readFileSync(path)),
    list: (directory) =>
      orUndefined(() => [...Deno.readDirSync(directory)].map(({ name }) => name).sort()) ?? [],
    readLink: (path) => orUndefined(() => Deno.readLinkSync(path)),
    fileSystem(path) {
      const found = fileSystemOf(path);
      return typeof found === "number" ? undefined : found;
    },
  };
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
