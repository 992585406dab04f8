/**
 * The file of a program that root is about to run: nobody else may be able to put another one there.
 * @module
 */
import { OperationError } from "../../net/error.ts";

const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;
/** Of a folder: only the owner of a file in it may replace it. */
const STICKY = 0o1000;
const ROOT = 0;

/** Owner, group and permissions of a file or folder. */
type Owned = Pick<Deno.FileInfo, "uid" | "gid" | "mode">;

/**
 * Refuses what is no plain file, and what others than root may write or replace. Throws an OperationError.
 */
export function requireTrust(path: string): void {
  const real = tryTo(path, () => Deno.realPathSync(path));
  const file = tryTo(path, () => Deno.statSync(real));
  if (!file.isFile) throw refusal(path, "it is not a plain file");
  const writers = writersOf(file);
  if (writers !== undefined) {
    throw refusal(
      path,
      `${writers} may write it, and root would run it`,
      `chown root ${real}; chmod go-w ${real}`,
    );
  }
  for (let folder = parentOf(real); folder !== ""; folder = folder === "/" ? "" : parentOf(folder)) {
    const found = tryTo(path, () => Deno.statSync(folder));
    const others = writersOf(found);
    if (others === undefined || (found.uid === ROOT && (found.mode! & STICKY) !== 0)) continue;
    throw refusal(
      path,
      `${others} may put another file there: they may write ${folder}`,
      "Move it: /usr/sbin, say",
    );
  }
}

/** Names those besides root that may write; undefined: nobody. */
function writersOf({ uid, gid, mode }: Owned): string | undefined {
  if ((mode! & OTHERS_WRITE) !== 0) return "others";
  if (uid !== ROOT) return `uid ${uid}`;
  return (mode! & GROUP_WRITES) !== 0 && gid !== ROOT ? `group ${gid}` : undefined;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function tryTo<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw refusal(path, error instanceof Error ? error.message : String(error));
  }
}

function refusal(path: string, reason: string, hint?: string): OperationError {
  return new OperationError({
    operation: "upgrade to",
    object: path,
    reason,
    ...(hint === undefined ? {} : { hint }),
  });
}
