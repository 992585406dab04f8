/**
 * Files that are not read: reading pipes, devices and sockets may never end, and a file may be too large.
 * @module
 */

/** The reason not to read one. */
export const NOT_PLAIN = "it is not a plain file";

/** Bytes of the largest config: YAML may have 4 Mi characters. */
export const MAX_CONFIG_BYTES = 16 << 20;

/** The usual way to write a list of nothing. */
const NOTHING = "/dev/null";
/** A pipe of the shell's, `<(…)`, and standard input by a name. */
const OWN_DESCRIPTOR = /^\/(?:dev\/(?:stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/;

/**
 * Returns why the file at a path is not read into memory, `most` bytes of it; undefined: nothing is known
 * against it. A path to nothing, or to a directory, fails when it is read.
 */
export function reasonAgainst(path: string, most: number): string | undefined {
  if (path === NOTHING) return undefined;
  try {
    const { isFile, isDirectory, size } = Deno.statSync(path);
    if (!isFile && !isDirectory) return NOT_PLAIN;
    return isFile && size > most ? tooLarge(most) : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the reason not to read more bytes than so many. */
export function tooLarge(most: number): string {
  return `it is larger than ${most >> 20} MiB`;
}

/** Tells whether a path is of a descriptor of this process, which may be a pipe that somebody writes to. */
export function isOwnDescriptor(path: string): boolean {
  return OWN_DESCRIPTOR.test(path);
}
