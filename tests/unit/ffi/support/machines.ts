/**
 * The processors that tproxy is for, and what compiles for them and runs their programs here.
 * @module
 */

/** Their names. */
export const MACHINES = ["x86_64", "aarch64"] as const;

/** Commands that compile for a processor and run its programs. */
export interface Machine {
  readonly compiler: string;
  /** Words in front of a command line. */
  readonly emulator: readonly string[];
}

/** Finds the commands for a processor; a string names what is missing. */
export function findMachine(arch: typeof MACHINES[number]): Machine | string {
  const compiler = `${arch}-linux-gnu-gcc`;
  if (!starts(compiler)) return `needs ${compiler} (Debian's gcc-${arch.replace("_", "-")}-linux-gnu)`;
  const emulator = `qemu-${arch}-static`;
  if (arch === Deno.build.arch) return { compiler, emulator: [] };
  // Settings of an emulator that these tests run in are not for this one.
  const words = ["env", "-u", "QEMU_CPU", "-u", "QEMU_RESERVED_VA", "-u", "QEMU_LD_PREFIX", emulator];
  return starts(words[0], ...words.slice(1))
    ? { compiler, emulator: words }
    : `needs ${emulator} (Debian's qemu-user-static)`;
}

function starts(command: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(command, { args: [...args, "--version"], stdout: "null", stderr: "null" })
      .outputSync()
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
