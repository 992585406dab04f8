/**
 * Files that are memory: to hand over more bytes than a message takes.
 * @module
 */
import { result } from "../errno.ts";
import { libc } from "../libc.ts";

/** linux/memfd.h */
const MFD_CLOEXEC = 1;
const NAME = new TextEncoder().encode("tproxy\0");

/** memfd_create(2), with these bytes. The descriptor or -errno. */
export function makeMemoryFile(bytes: Uint8Array<ArrayBuffer>): number {
  const fd = result(libc.memfd_create(NAME, MFD_CLOEXEC));
  if (fd < 0) return fd;
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    const written = result(libc.write(fd, rest, rest.length));
    if (written < 0) {
      libc.close(fd);
      return written;
    }
    at += written;
  }
  return fd;
}
