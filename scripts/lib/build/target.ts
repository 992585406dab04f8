/**
 * The machines that a product is built for.
 * @module
 */

/** A machine that products are made for, in the words of each tool. */
export interface Target {
  /** Name in `uname -m` and in Deno. */
  readonly arch: "x86_64" | "aarch64";
  /** The npm package with Deno for it. */
  readonly denoPackage: string;
  /** Debian's name of the architecture. */
  readonly debianArch: "amd64" | "arm64";
  /** The GNU triplet: directory of its libraries, prefix of its compiler. */
  readonly triplet: string;
  /** The program that runs its programs on another machine. */
  readonly qemu: string;
}

/** All targets. */
export const TARGETS: readonly Target[] = [
  {
    arch: "x86_64",
    denoPackage: "@deno/linux-x64-glibc",
    debianArch: "amd64",
    triplet: "x86_64-linux-gnu",
    qemu: "qemu-x86_64-static",
  },
  {
    arch: "aarch64",
    denoPackage: "@deno/linux-arm64-glibc",
    debianArch: "arm64",
    triplet: "aarch64-linux-gnu",
    qemu: "qemu-aarch64-static",
  },
];

/** This machine. */
export const HOST: Target = TARGETS.find(({ arch }) => arch === Deno.build.arch)!;

/** The C compiler for a target; Debian's has that name for the machine itself as well. */
export function compilerOf(target: Target): string {
  return `${target.triplet}-gcc`;
}
