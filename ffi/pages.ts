/**
 * Memory that is no longer needed: madvise(2), malloc_trim(3), and the garbage of V8.
 * @module
 */
import { MADV_COLD, MADV_DONTNEED } from "./consts.ts";
import { result } from "./errno.ts";
import { libc } from "./libc.ts";

/**
 * Takes pages of a mapped file out of this process; what is touched again comes back from the page cache, or
 * from the file. Only for mappings that nobody has written to: what was written is lost. Whole pages, in
 * bytes. 0 or -errno.
 */
export function dropFilePages(start: bigint, length: bigint): number {
  // The kernel takes pages that were touched lately for ones in use. Linux before 5.4 does not know the
  // advice, and needs none.
  libc.madvise(start, length, MADV_COLD);
  return result(libc.madvise(start, length, MADV_DONTNEED));
}

/** Gives the kernel what malloc(3) keeps of memory that was freed, of all threads. */
export function returnFreeMemory(): void {
  libc.malloc_trim(0n);
}

/** The part of V8's `--expose-gc` that is used. */
interface Collector {
  gc?: (
    options: { readonly type: "major"; readonly execution: "sync"; readonly flavor: "last-resort" },
  ) => void;
}

/**
 * Has V8 give the kernel all that this thread can do without; what it has compiled and not used lately is
 * compiled again when it is called. Takes tens of milliseconds. Nothing happens where V8 has no flag for it:
 * ffi/launcher/main.c gives it. Milder collections free much, and return nothing.
 */
export function collectGarbage(): void {
  (globalThis as Collector).gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
}
