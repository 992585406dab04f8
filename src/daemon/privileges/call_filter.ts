/**
 * The second filter of system calls, for a proxy whose threads all run: it starts no program and no process,
 * and signals nobody but itself. The launcher's filter (ffi/launcher/seccomp.c) allows what starting needs;
 * of two filters the stricter answer counts. Pure.
 * @module
 */
import type { FilterInstruction } from "../../../ffi/sockets/filter.ts";
import { ENOSYS, EPERM } from "../../net/errno.ts";

/** Names of processors, as Deno has them. */
export type Processor = "x86_64" | "aarch64";

// linux/bpf_common.h
const LOAD = 0x20;
const IF_EQUAL = 0x15;
const IF_SET = 0x45;
const RETURN = 0x06;
// linux/seccomp.h: struct seccomp_data has the call at 0, the architecture at 4, arguments from 16 on
const CALL = 0;
const FIRST_ARGUMENT = 16;
const ALLOW = 0x7fff0000;
const REFUSE = 0x00050000;
// linux/sched.h
const CLONE_THREAD = 0x10000;

/** Numbers of calls (asm/unistd.h); those that a processor has not are left out. */
interface Calls {
  readonly refused: readonly number[];
  readonly clone: number;
  readonly clone3: number;
  /** Their first argument is a process. */
  readonly signals: readonly number[];
}

const CALLS: Readonly<Record<Processor, Calls>> = {
  x86_64: {
    // execve, execveat, fork, vfork; tkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal
    refused: [59, 322, 57, 58, 200, 129, 297, 424],
    clone: 56,
    clone3: 435,
    signals: [62, 234], // kill, tgkill
  },
  aarch64: {
    // execve, execveat; tkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal
    refused: [221, 281, 130, 138, 240, 424],
    clone: 220,
    clone3: 435,
    signals: [129, 131], // kill, tgkill
  },
};

/**
 * Builds the filter for this process. A C library that may not use clone3 uses clone, whose flags can be
 * seen: those of a thread are allowed.
 */
export function sealingFilter(processor: Processor, pid: number): FilterInstruction[] {
  const { refused, clone, clone3, signals } = CALLS[processor];
  const refuse: FilterInstruction = [RETURN, REFUSE | EPERM];
  const allow: FilterInstruction = [RETURN, ALLOW];
  return [
    [LOAD, CALL],
    ...refused.flatMap((call): FilterInstruction[] => [[IF_EQUAL, call, 0, 1], refuse]),
    [IF_EQUAL, clone3, 0, 1],
    [RETURN, REFUSE | ENOSYS],
    [IF_EQUAL, clone, 0, 4],
    [LOAD, FIRST_ARGUMENT],
    [IF_SET, CLONE_THREAD, 0, 1],
    allow,
    refuse,
    ...signals.flatMap((call): FilterInstruction[] => [
      [IF_EQUAL, call, 0, 4],
      [LOAD, FIRST_ARGUMENT],
      [IF_EQUAL, pid, 0, 1],
      allow,
      refuse,
    ]),
    allow,
  ];
}
