/**
 * Files whose reading may never end: pipes, devices, sockets.
 * @module
 */

/** The reason not to read one. */
export const NOT_PLAIN = "it is not a plain file";

/** The usual way to write a list of nothing. */
const NOTHING = "/dev/null";

/** Tells whether a path leads to one. A path to nothing, or to a directory, fails when it is read. */
export function neverEnds(path: string): boolean {
  if (path === NOTHING) return false;
  try {
    const { isFile, isDirectory } = Deno.statSync(path);
    return !isFile && !isDirectory;
  } catch {
    return false;
  }
}
