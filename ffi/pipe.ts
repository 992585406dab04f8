/**
 * Pipes and splice(2): bytes move between sockets without being copied to user space.
 * @module
 */
import { F_SETPIPE_SZ, O_CLOEXEC, O_NONBLOCK } from "./consts.ts";
import { result } from "./errno.ts";
import { libc } from "./libc.ts";

/** pipe2(2), non-blocking and close-on-exec. Fills `ends` with [read, write]. 0 or -errno. */
export function openPipe(ends: Int32Array<ArrayBuffer>): number {
  return result(libc.pipe2(ends, O_NONBLOCK | O_CLOEXEC));
}

/** F_SETPIPE_SZ, in bytes. The size the kernel gave, or -errno. */
export function setPipeSize(fd: number, bytes: number): number {
  return result(libc.fcntl(fd, F_SETPIPE_SZ, bytes));
}

/** splice(2) without offsets. Bytes moved, 0 at the end of the source, or -errno. */
export function spliceBytes(from: number, to: number, length: number, flags: number): number {
  return result(libc.splice(from, null, to, null, length, flags));
}
