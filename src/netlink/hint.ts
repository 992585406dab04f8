/**
 * Advice on errors of the kernel, as far as the errno alone tells. Pure.
 * @module
 */
import { EACCES, EPERM } from "../net/errno.ts";

/** A hint for the errno, or undefined. */
export function commonHint(errno: number): string | undefined {
  return errno === EPERM || errno === EACCES ? "It needs root (CAP_NET_ADMIN): try sudo" : undefined;
}
