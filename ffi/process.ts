/**
 * The process and its thread: limits, identity, network namespaces, the files that it sees.
 * @module
 */
import { CLONE_NEWNET, O_CLOEXEC, O_RDONLY, RLIMIT_NOFILE } from "./consts.ts";
import { result } from "./errno.ts";
import { RLIMIT_SIZE, STATFS_SIZE, STATFS_WORD } from "./layout.ts";
import { libc } from "./libc.ts";

const limit = new BigUint64Array(RLIMIT_SIZE / 8); // struct rlimit { rlim_cur, rlim_max }

function clampLimit(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

/** RLIMIT_NOFILE, in descriptors, or the -errno of getrlimit(2). */
export function descriptorLimit(): { soft: number; hard: number } | number {
  const returned = result(libc.getrlimit(RLIMIT_NOFILE, limit));
  return returned < 0 ? returned : { soft: clampLimit(limit[0]), hard: clampLimit(limit[1]) };
}

/** Raises the soft RLIMIT_NOFILE to the hard one. 0 or -errno. Equivalent to: ulimit -n $(ulimit -Hn) */
export function raiseDescriptorLimit(): number {
  const returned = result(libc.getrlimit(RLIMIT_NOFILE, limit));
  if (returned < 0) return returned;
  limit[0] = limit[1];
  return result(libc.setrlimit(RLIMIT_NOFILE, limit));
}

/** dup3(2): makes `to` lead to where `fd` does. `to` or -errno. */
export function duplicateTo(fd: number, to: number): number {
  return result(libc.dup3(fd, to, 0));
}

/** The id of the calling thread, as in /proc/self/task. */
export function threadId(): number {
  return libc.gettid();
}

/** Moves the calling thread alone into a new network namespace. 0 or -errno. Equivalent to: unshare --net */
export function unshareNetwork(): number {
  return result(libc.unshare(CLONE_NEWNET));
}

/** Moves the calling thread alone into the network namespace of an open descriptor. 0 or -errno. */
export function enterNetwork(fd: number): number {
  return result(libc.setns(fd, CLONE_NEWNET));
}

/** The file system of a path: f_type of statfs(2), and the bytes that anybody may still write; or -errno. */
export function fileSystemOf(path: string): { type: number; freeBytes: number } | number {
  const words = new BigInt64Array(STATFS_SIZE / 8);
  const returned = result(libc.statfs(new TextEncoder().encode(path + "\0"), words));
  if (returned < 0) return returned;
  const { type, blockSize, available } = STATFS_WORD;
  return { type: Number(words[type]), freeBytes: Number(words[available]) * Number(words[blockSize]) };
}

/** open(2) read-only, close-on-exec. The descriptor or -errno. Deno's own file API hides descriptors. */
export function openReadOnly(path: string): number {
  return result(libc.open(new TextEncoder().encode(path + "\0"), O_RDONLY | O_CLOEXEC, 0));
}
