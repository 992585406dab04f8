/**
 * Compression with fixed settings and one thread, so that the same bytes come out on every machine with these
 * programs.
 * @module
 */
import { runFilter } from "../filter.ts";

/** Compresses as `gzip -9`, without name and time. */
export function gzip(bytes: Uint8Array, level = 9): Promise<Uint8Array> {
  return runFilter("gzip", ["-n", `-${level}`, "--stdout"], bytes);
}

/**
 * Compresses as Debian's packages are: a dictionary of 8 MiB, which is what unpacking takes of a router's
 * memory.
 */
export function xz(bytes: Uint8Array): Promise<Uint8Array> {
  return runFilter("xz", ["--format=xz", "--check=crc64", "-6e", "--threads=1", "--stdout"], bytes);
}
