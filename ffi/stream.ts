/**
 * read(2) and write(2), for what need not be a socket: standard input and output.
 * @module
 */
import { result } from "./errno.ts";
import { libc } from "./libc.ts";

/** read(2). Blocks if the descriptor does. Bytes, 0 at the end, or -errno. */
export function readStream(fd: number, buffer: Uint8Array<ArrayBuffer>): number {
  return result(libc.read(fd, buffer, buffer.length));
}

/** write(2). Blocks if the descriptor does. Bytes taken, or -errno. */
export function writeStream(fd: number, buffer: Uint8Array<ArrayBuffer>): number {
  return result(libc.write(fd, buffer, buffer.length));
}
