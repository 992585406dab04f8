/**
 * errno of this thread: the only file that reads it.
 * @module
 */
import { libc } from "./libc.ts";

function aliasErrno(): Int32Array {
  const location = libc.__errno_location();
  if (location === null) throw new Error("Cannot find errno: __errno_location returned NULL");
  return new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
}

// errno's address belongs to the OS thread, and an isolate stays on its thread: valid as long as this
// module lives.
const errno = aliasErrno();

/**
 * Turns a C result into `n >= 0` or `-errno`. Use it as the very next expression after the call,
 * `return result(libc.read(fd, buffer, length))`: whatever allocates in between may change errno.
 */
export function result(returned: number): number {
  return returned < 0 ? -errno[0] : returned;
}
