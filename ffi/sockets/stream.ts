/**
 * read(2) and write(2), for what need not be a socket: standard input and output.
 * @module
 */
import { O_APPEND, O_CLOEXEC, O_CREAT, O_NOCTTY, O_NONBLOCK, O_WRONLY } from "../consts.ts";
import { result } from "../errno.ts";
import { libc } from "../libc.ts";

/** read(2). Blocks if the descriptor does. Bytes, 0 at the end, or -errno. */
export function readStream(fd: number, buffer: Uint8Array<ArrayBuffer>): number {
  return result(libc.read(fd, buffer, buffer.length));
}

/** write(2). Blocks if the descriptor does. Bytes taken, or -errno. */
export function writeStream(fd: number, buffer: Uint8Array<ArrayBuffer>): number {
  return result(libc.write(fd, buffer, buffer.length));
}

/**
 * Opens what a descriptor leads to once more, non-blocking, for writing: other holders of the same pipe or
 * terminal are not changed by it. The descriptor or -errno (-ENXIO for sockets).
 */
export function reopenForWriting(fd: number): number {
  const path = new TextEncoder().encode(`/proc/self/fd/${fd}\0`);
  return result(libc.open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0));
}

/**
 * Opens a file for writing at its end, and makes it where it is missing; no write to it blocks where it is a
 * pipe. The descriptor or -errno (-ENXIO: a pipe that nobody reads).
 */
export function openForAppending(path: string, mode: number): number {
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  return result(libc.open(new TextEncoder().encode(`${path}\0`), flags, mode));
}
