/**
 * The clocks of keepalive on sockets of a running program: read, and turned so fast that a test sees days go
 * by. The sockets are the program's own, borrowed with pidfd_getfd(2), which asks for no seam in it.
 * @module
 */
import assert from "node:assert/strict";
import {
  SO_KEEPALIVE,
  SOL_SOCKET,
  SOL_TCP,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
} from "../../../ffi/consts.ts";
import { result } from "../../../ffi/errno.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { getInt, setInt } from "../../../ffi/sockets/sockopt.ts";
import { check } from "../../../src/net/error.ts";
import type { Namespace } from "../namespace.ts";
import { listSockets } from "../network/sockets.ts";

/** asm-generic/unistd.h, the same on x86-64 and aarch64. */
const SYS_PIDFD_OPEN = 434n;
const SYS_PIDFD_GETFD = 438n;

const libc = Deno.dlopen("libc.so.6", {
  syscall: { parameters: ["i64", "i64", "i64", "i64"], result: "i32" },
}).symbols;

/** Twelve probes become one, a second apart: five days are six seconds. */
const PROBES_AS_ONE = 12;

/** Does something with a socket of another process. */
function withSocket<T>(pid: number, fd: number, work: (socket: number) => T): T {
  const process = check(result(libc.syscall(SYS_PIDFD_OPEN, BigInt(pid), 0n, 0n)), "pidfd_open", `${pid}`);
  try {
    const call = () => libc.syscall(SYS_PIDFD_GETFD, BigInt(process), BigInt(fd), 0n);
    const socket = check(result(call()), "pidfd_getfd", `${pid}, ${fd}`);
    try {
      return work(socket);
    } finally {
      closeFd(socket);
    }
  } finally {
    closeFd(process);
  }
}

/** Lets the clocks of a socket run fast. Gives the seconds of silence that it allowed before. */
function hasten(socket: number): number {
  assert.equal(getInt(socket, SOL_SOCKET, SO_KEEPALIVE), 1, "a socket without keepalive");
  const [idle, interval, probes] = [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT]
    .map((name) => check(getInt(socket, SOL_TCP, name), "read a clock"));
  check(setInt(socket, SOL_TCP, TCP_KEEPINTVL, 1), "set TCP_KEEPINTVL");
  check(setInt(socket, SOL_TCP, TCP_KEEPCNT, Math.ceil(probes / PROBES_AS_ONE)), "set TCP_KEEPCNT");
  check(setInt(socket, SOL_TCP, TCP_KEEPIDLE, 1), "set TCP_KEEPIDLE");
  return idle + interval * probes;
}

/** The same of all sockets of programs in the namespace that match a filter of ss. */
export async function hastenKeepalive(namespace: Namespace, filter: string): Promise<number[]> {
  const lines = await listSockets(namespace, filter, ["-p"]);
  return lines.map((line) => {
    const [, pid, fd] = /pid=(\d+),fd=(\d+)/.exec(line) ?? assert.fail(`nobody's socket: ${line}`);
    return withSocket(Number(pid), Number(fd), hasten);
  });
}
