import assert from "node:assert/strict";
import { judgePlatform, readPlatform } from "../../../../src/doctor/checks/platform.ts";
import { memoryFiles, troubles } from "../support/machine.ts";

/** An auxiliary vector: pairs of 64 bits. */
function auxv(...pairs: readonly (readonly [number, number])[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.from(pairs.flat().map(BigInt)).buffer);
}

Deno.test("judgePlatform() knows pages that the runtime is not made for, and emulation", () => {
  const read = (size: number, machine: string) =>
    readPlatform(memoryFiles({
      "/proc/self/auxv": auxv([16, 0xff], [6, size], [0, 0]),
      "/proc/sys/kernel/arch": `${machine}\n`,
    }));
  assert.deepEqual(troubles(judgePlatform(read(4096, "aarch64"), "aarch64")), []);
  const [pages] = judgePlatform(read(16384, "aarch64"), "aarch64");
  assert.equal(pages.what, "memory pages of 16 KiB");
  assert.match(pages.remedy, /kernel=kernel8\.img/);
  assert.deepEqual(troubles(judgePlatform(read(4096, "x86_64"), "aarch64")), ["warning architecture"]);
  assert.deepEqual(judgePlatform(readPlatform(memoryFiles({})), "aarch64"), []);
  // What ends the vector ends it.
  const ended = { "/proc/self/auxv": auxv([0, 0], [6, 65536]) };
  assert.equal(readPlatform(memoryFiles(ended)).pageSize, undefined);
});

Deno.test("readPlatform() reads this machine", () => {
  const files = { ...memoryFiles({}), readBytes: (path: string) => Deno.readFileSync(path) };
  assert.equal(readPlatform(files).pageSize, 4096);
});
