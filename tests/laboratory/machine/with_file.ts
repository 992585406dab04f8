/**
 * Programs for which one of the machine's files is another.
 * @module
 */

/** The words before those of a program that has `file` at this place. */
export function withFile(file: string, place: string): string[] {
  return ["unshare", "-m", "sh", "-c", `mount --bind "$0" ${place} && exec "$@"`, file];
}
