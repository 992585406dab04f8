/**
 * Classic BPF filters on sockets.
 * @module
 */
import { SO_ATTACH_FILTER, SOL_SOCKET } from "../consts.ts";
import { result } from "../errno.ts";
import { SOCK_FILTER_SIZE, SOCK_FPROG_FILTER, SOCK_FPROG_SIZE } from "../layout.ts";
import { libc } from "../libc.ts";
import { PinnedMemory } from "../memory.ts";

const BPF_RET_NOTHING = 0x06; // linux/bpf_common.h: BPF_RET | BPF_K, with k = 0 bytes

/** Lets no packet into a socket's receive queue: for sockets that only send. 0 or -errno. */
export function refusePackets(fd: number): number {
  // struct sock_fprog, and behind it the one struct sock_filter.
  const memory = new PinnedMemory(SOCK_FPROG_SIZE + SOCK_FILTER_SIZE);
  memory.words[0] = 1;
  memory.words[SOCK_FPROG_FILTER >> 2] = (memory.low + SOCK_FPROG_SIZE) | 0;
  memory.words[(SOCK_FPROG_FILTER >> 2) + 1] = memory.high;
  memory.words[SOCK_FPROG_SIZE >> 2] = BPF_RET_NOTHING;
  // The kernel copies the filter.
  return result(libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, memory.bytes, SOCK_FPROG_SIZE));
}
