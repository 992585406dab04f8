/**
 * Stops one thread of another process, as no signal can: SIGSTOP stops them all.
 * @module
 */

// sys/ptrace.h
const PTRACE_DETACH = 17;
const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;
// bits/waitflags.h
const WALL = 0x40000000;

/** The threads of a process that are workers of its runtime, in the order of their start. */
export function workerThreads(pid: number): number[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => Number(name)).sort((a, b) => a - b)
    .filter((thread) => Deno.readTextFileSync(`/proc/${pid}/task/${thread}/comm`).startsWith("worker-"));
}

/** A thread that stands still until it is disposed of. */
export class FrozenThread implements Disposable {
  readonly #libc = Deno.dlopen("libc.so.6", {
    ptrace: { parameters: ["i64", "i32", "usize", "usize"], result: "i64" },
    waitpid: { parameters: ["i32", "pointer", "i32"], result: "i32" },
  });
  readonly #thread: number;

  constructor(thread: number) {
    this.#thread = thread;
    this.#call(PTRACE_SEIZE);
    this.#call(PTRACE_INTERRUPT);
    // It stands when the kernel says so.
    this.#libc.symbols.waitpid(thread, null, WALL);
  }

  [Symbol.dispose](): void {
    this.#call(PTRACE_DETACH);
    this.#libc.close();
  }

  #call(request: number): void {
    const { ptrace } = this.#libc.symbols;
    if (ptrace(BigInt(request), this.#thread, 0n, 0n) < 0n) {
      throw new Error(`ptrace ${request} of thread ${this.#thread} fails`);
    }
  }
}
