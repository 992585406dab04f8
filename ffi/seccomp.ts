/**
 * seccomp(2): filters of system calls.
 * @module
 */
import { result } from "./errno.ts";
import { libc } from "./libc.ts";
import { type FilterInstruction, packProgram } from "./sockets/filter.ts";

// asm/unistd.h
const SYS_SECCOMP = Deno.build.arch === "aarch64" ? 277n : 317n;
// linux/seccomp.h
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;

/**
 * Puts every thread of this process under a filter, for good. 0, -errno, or the id of a thread that cannot be
 * put under it; then none is.
 */
export function filterAllThreads(program: readonly FilterInstruction[]): number {
  const { bytes } = packProgram(program);
  return result(libc.syscall(SYS_SECCOMP, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, bytes));
}
