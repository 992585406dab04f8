/**
 * Hashes and sizes of bytes. Pure.
 * @module
 */
import { createHash } from "node:crypto";

/** SHA-256 of some bytes, in hexadecimal. */
export function sha256(...parts: (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** Size for reading: `32.4 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
