/**
 * Reads small files through the C library: Deno gives /proc/sys to programs with all permissions alone.
 * @module
 */
import { openReadOnly } from "../../ffi/process.ts";
import { closeFd } from "../../ffi/sockets/socket.ts";
import { readStream } from "../../ffi/sockets/stream.ts";
import { ENOENT } from "../net/errno.ts";
import { check } from "../net/error.ts";

/** Reads a text file. Throws Deno.errors.NotFound where there is none, else an OperationError. */
export function readTextFile(path: string): string {
  const fd = openReadOnly(path);
  if (fd === -ENOENT) throw new Deno.errors.NotFound(path);
  check(fd, "open", path);
  try {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(64 * 1024);
    let text = "";
    for (;;) {
      const length = check(readStream(fd, buffer), "read", path);
      if (length === 0) return text + decoder.decode();
      text += decoder.decode(buffer.subarray(0, length), { stream: true });
    }
  } finally {
    closeFd(fd);
  }
}
