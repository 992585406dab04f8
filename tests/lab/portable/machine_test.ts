/**
 * Machines that Deno cannot live on: the launcher says so before Deno dies.
 * @module
 */
import assert from "node:assert/strict";
import { fails, portableTest, type ProductForm, works } from "../../laboratory/portable/product_copy.ts";
import { runProgram } from "../../laboratory/program.ts";

const FOREIGN = new URL("../../../dist/tproxy-aarch64", import.meta.url).pathname;
const EMULATOR = "/usr/bin/qemu-aarch64-static";

portableTest("names a limit of the address space, and what to do", async (copy) => {
  const limited = (kib: number) => copy.run(["sh", "-c", `ulimit -v ${kib} && exec ${copy.file} --version`]);
  fails(await limited(8 * 1024 ** 2), /address space is limited to 8192 MiB \(ulimit -v, .*MemoryMax=/);
  fails(await limited(63 * 1024 ** 2), /ulimit -v unlimited/);
  works(await limited(64 * 1024 ** 2));
});

for (const form of ["packed", "image", "installed"] satisfies ProductForm[]) {
  portableTest("names /proc where it is missing", async (copy) => {
    fails(
      await copy.runWithMounts("umount -l /proc; $file --version"),
      /\/proc is not there, .*: mount -t proc proc \/proc/,
    );
  }, form);
}

portableTest(
  "names pages that are larger than 4 KiB, and what to do",
  async () => {
    const start = (size: string) =>
      runProgram([EMULATOR, "-p", size, FOREIGN, "--version"], {
        mayFail: true,
        env: { TPROXY_CACHE_DIR: "/proc/nowhere" },
      });
    for (const size of ["16384", "65536"]) {
      const kib = Number(size) / 1024;
      fails(
        await start(size),
        new RegExp(`memory pages of ${kib} KiB, .*kernel=kernel8\\.img in /boot/firmware/config\\.txt`),
      );
    }
    assert.doesNotMatch((await start("4096")).stderr, /memory pages/);
  },
  "packed",
  () => {
    for (const path of [FOREIGN, EMULATOR]) {
      try {
        Deno.statSync(path);
      } catch {
        return `${path.split("/").slice(-2).join("/")} is not there`;
      }
    }
  },
);
