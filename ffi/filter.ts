/**
 * Classic BPF filters on sockets.
 * @module
 */
import { SO_ATTACH_FILTER, SOL_SOCKET } from "./consts.ts";
import { result } from "./errno.ts";
import { libc } from "./libc.ts";
import { PinnedMemory } from "./memory.ts";

const BPF_RET_NOTHING = 0x06; // linux/bpf_common.h: BPF_RET | BPF_K, with k = 0 bytes

/** Lets no packet into a socket's receive queue: for sockets that only send. 0 or -errno. */
export function refusePackets(fd: number): number {
  // struct sock_fprog { unsigned short len; struct sock_filter *filter; }, and struct sock_filter { code, jt, jf, k }.
  const memory = new PinnedMemory(24);
  memory.words[0] = 1;
  memory.words[2] = (memory.low + 16) | 0;
  memory.words[3] = memory.high;
  memory.words[4] = BPF_RET_NOTHING;
  // The kernel copies the filter.
  return result(libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, memory.bytes, 16));
}
