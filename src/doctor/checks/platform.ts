/**
 * The size of memory pages, and the processor of the kernel: the runtime is made for pages of 4 KiB, and for
 * one processor.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { MachineFiles } from "../machine/files.ts";

// linux/auxvec.h: pairs of a type and a value, each of 64 bits; type 0 ends them
const AT_PAGESZ = 6n;
const RUNTIME_PAGE_SIZE = 4096;

/** The kernel of itself. */
export interface PlatformFacts {
  /** In bytes; undefined where it is not told. */
  readonly pageSize: number | undefined;
  /** The name of `uname -m`; undefined before Linux 6.1. */
  readonly machine: string | undefined;
}

/** The check. */
export const platform: Check<PlatformFacts> = {
  id: "platform",
  read: ({ files }) => readPlatform(files),
  judge: (facts) => judgePlatform(facts, Deno.build.arch),
};

/** Reads both. */
export function readPlatform(files: MachineFiles): PlatformFacts {
  return {
    pageSize: readPageSize(files.readBytes("/proc/self/auxv")),
    machine: files.readText("/proc/sys/kernel/arch")?.trim(),
  };
}

/** Finds AT_PAGESZ. The bytes are those of a little-endian machine of 64 bits. */
function readPageSize(auxv: Uint8Array<ArrayBuffer> | undefined): number | undefined {
  const words = new BigUint64Array(auxv?.slice(0, auxv.length & ~15).buffer ?? new ArrayBuffer(0));
  for (let index = 0; index + 1 < words.length && words[index] !== 0n; index += 2) {
    if (words[index] === AT_PAGESZ) return Number(words[index + 1]);
  }
  return undefined;
}

/** Makes a finding for each; `architecture` is that of this program. */
export function judgePlatform({ pageSize, machine }: PlatformFacts, architecture: string): Finding[] {
  return [
    ...pageSize === undefined ? [] : [judgePageSize(pageSize)],
    ...machine === undefined ? [] : [judgeArchitecture(machine, architecture)],
  ];
}

function judgePageSize(bytes: number): Finding {
  const what = `memory pages of ${bytes / 1024} KiB`;
  if (bytes === RUNTIME_PAGE_SIZE) return works("page-size", what);
  return warning("page-size", {
    what,
    cause:
      "The runtime of this program (Deno) is made for pages of 4 KiB; with others it may crash at any time",
    remedy:
      "Start a kernel with pages of 4 KiB: on a Raspberry Pi 5 kernel=kernel8.img in /boot/firmware/config.txt",
  });
}

function judgeArchitecture(machine: string, architecture: string): Finding {
  const what = `program for ${architecture}, kernel for ${machine}`;
  if (machine === architecture) return works("architecture", what);
  return warning("architecture", {
    what,
    cause: "The program runs under emulation: slowly, and the kernel may not understand all that it asks for",
    remedy: `Install the file for ${machine}`,
  });
}
