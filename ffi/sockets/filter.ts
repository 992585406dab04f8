/**
 * Classic BPF filters on sockets.
 * @module
 */
import { SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF, SOL_SOCKET } from "../consts.ts";
import { result } from "../errno.ts";
import { SOCK_FILTER_SIZE, SOCK_FPROG_FILTER, SOCK_FPROG_SIZE } from "../layout.ts";
import { libc } from "../libc.ts";
import { PinnedMemory } from "../memory.ts";

/** An instruction: its code, its operand, and how far it jumps, linux/filter.h. */
export type FilterInstruction = readonly [code: number, operand: number, ifTrue?: number, ifFalse?: number];

// linux/bpf_common.h
/** Returns a constant. */
const BPF_RET = 0x06;
/** Loads 16 bits of the packet. */
export const BPF_LOAD_HALF = 0x28;
/** Arithmetic with a constant. */
export const BPF_AND = 0x54;
export const BPF_MULTIPLY = 0x24;
export const BPF_SHIFT_RIGHT = 0x74;
/** Returns what was reckoned. */
export const BPF_RETURN_RESULT = 0x16;
/** Added to an operand: it counts from the IP header. */
export const SKF_NET_OFF = -0x100000;

/** Lets no packet into a socket's receive queue: for sockets that only send. 0 or -errno. */
export function refusePackets(fd: number): number {
  return attach(fd, SO_ATTACH_FILTER, [[BPF_RET, 0]]);
}

/**
 * Lets a program choose which of the sockets that share a port (SO_REUSEPORT) is given a connection: it
 * returns a number, in the order in which they began to listen. `fd`: any of them. 0 or -errno.
 */
export function chooseSocket(fd: number, program: readonly FilterInstruction[]): number {
  return attach(fd, SO_ATTACH_REUSEPORT_CBPF, program);
}

function attach(fd: number, option: number, program: readonly FilterInstruction[]): number {
  // The kernel copies the program.
  return result(libc.setsockopt(fd, SOL_SOCKET, option, packProgram(program).bytes, SOCK_FPROG_SIZE));
}

/** A struct sock_fprog, and behind it every struct sock_filter. */
export function packProgram(program: readonly FilterInstruction[]): PinnedMemory {
  const memory = new PinnedMemory(SOCK_FPROG_SIZE + program.length * SOCK_FILTER_SIZE);
  const { words } = memory;
  words[0] = program.length;
  words[SOCK_FPROG_FILTER >> 2] = (memory.low + SOCK_FPROG_SIZE) | 0;
  words[(SOCK_FPROG_FILTER >> 2) + 1] = memory.high;
  program.forEach(([code, operand, ifTrue = 0, ifFalse = 0], i) => {
    const at = (SOCK_FPROG_SIZE + i * SOCK_FILTER_SIZE) >> 2;
    words[at] = code | ifTrue << 16 | ifFalse << 24;
    words[at + 1] = operand;
  });
  return memory;
}
