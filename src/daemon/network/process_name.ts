/**
 * Names of programs by their process numbers.
 * @module
 */

/** The largest process number that Linux gives; netlink sockets without one have larger numbers. */
const LARGEST = 1 << 22;

/** Names a process; undefined: it is none, but the kernel itself. `readTextFile` throws Deno's errors. */
export function nameProcess(pid: number, readTextFile: (path: string) => string): string | undefined {
  if (pid <= 0 || pid > LARGEST) return undefined;
  try {
    return readTextFile(`/proc/${pid}/comm`).trim();
  } catch {
    return "a program that has ended";
  }
}
