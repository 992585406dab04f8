/**
 * Files of the machine that commands write, under a root that a test may put elsewhere.
 * @module
 */

/** The file at a path, symbolic links followed. */
export interface FileStat {
  readonly isFile: boolean;
  readonly mode: number;
  readonly uid: number;
}

/** The machine's files. Failures are thrown as Deno's errors. */
export interface Files {
  /** undefined: nothing is there, or cannot be seen. */
  stat(path: string): FileStat | undefined;
  /** undefined: nothing is there. */
  read(path: string): string | undefined;
  /** Puts a file in its place, whole or not at all; makes the folders above it. */
  write(path: string, content: { text: string; mode: number }): void;
  /** Fine where nothing is there. */
  remove(path: string): void;
  /** Removes a folder where it is empty. */
  removeEmptyFolder(path: string): void;
  /** Names in a folder; none where it is not there. */
  list(folder: string): string[];
  /** The path without symbolic links, as far as it exists. */
  realPath(path: string): string;
}

/** The files below `root`, which is `/` but for tests. */
export function filesUnder(root: string): Files {
  const prefix = root.replace(/\/$/, "");
  const at = (path: string) => `${prefix}${path}`;
  return {
    stat: (path) =>
      orUndefined(() => {
        const { isFile, mode, uid } = Deno.statSync(at(path));
        return { isFile, mode: (mode ?? 0) & 0o7777, uid: uid ?? 0 };
      }),
    read: (path) => unlessMissing(() => Deno.readTextFileSync(at(path))),
    write: (path, content) => writeWhole(at(path), content),
    remove: (path) => void unlessMissing(() => Deno.removeSync(at(path))),
    removeEmptyFolder: (path) => void orUndefined(() => Deno.removeSync(at(path))),
    list: (folder) =>
      orUndefined(() => [...Deno.readDirSync(at(folder))].map(({ name }) => name).toSorted()) ?? [],
    realPath: (path) => realPath(at(path)).slice(prefix.length),
  };
}

/** Resolves a path as far as it exists; the names below that are taken as they are. */
function realPath(path: string): string {
  const found = orUndefined(() => Deno.realPathSync(path));
  const slash = path.lastIndexOf("/");
  if (found !== undefined || slash <= 0) return found ?? path;
  return `${realPath(path.slice(0, slash))}${path.slice(slash)}`;
}

function writeWhole(path: string, { text, mode }: { text: string; mode: number }): void {
  const slash = path.lastIndexOf("/");
  const beside = `${path.slice(0, slash)}/.${path.slice(slash + 1)}.new`;
  Deno.mkdirSync(path.slice(0, slash), { recursive: true, mode: 0o755 });
  // Others may write to the folder of a collector: what they have put there must not lead root elsewhere.
  unlessMissing(() => Deno.removeSync(beside));
  const umask = Deno.umask(0o777 & ~mode); // no chmod afterwards: by then it may be another file
  try {
    Deno.writeTextFileSync(beside, text, { mode, createNew: true });
    Deno.renameSync(beside, path);
  } catch (error) {
    orUndefined(() => Deno.removeSync(beside));
    throw error;
  } finally {
    Deno.umask(umask);
  }
}

function unlessMissing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

function orUndefined<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
