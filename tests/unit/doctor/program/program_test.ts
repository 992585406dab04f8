/** Findings on the program's own place on this machine. */
import assert from "node:assert/strict";
import { judgeAddressSpace, readAddressSpace } from "../../../../src/doctor/program/address_space.ts";
import { judgePlaces, readPlaces } from "../../../../src/doctor/program/cache_room.ts";
import { judgePlatform, readPlatform } from "../../../../src/doctor/program/page_size.ts";
import { memoryFiles, processOf, troubles } from "../support/machine.ts";

const MIB = 1024 ** 2;

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

Deno.test("judgeAddressSpace() goes by the proxy that runs, else by this session", () => {
  const limits = (value: string) =>
    `Max address space         ${value}            unlimited            bytes\n`;
  const files = memoryFiles({
    "/proc/self/limits": limits("unlimited"),
    "/proc/812/limits": limits(String(8 * 1024 ** 3)),
  });
  const session = readAddressSpace(files, [processOf("nginx")]);
  assert.deepEqual(session, { limit: Infinity, of: "this session" });
  assert.deepEqual(troubles(judgeAddressSpace(session)), []);
  const proxy = readAddressSpace(files, [processOf("tproxy", ["tproxy", "run"])]);
  const [finding] = judgeAddressSpace(proxy);
  assert.match(finding.what, /^address space of the proxy that runs: 8 GiB$/);
  assert.match(finding.remedy, /LimitAS/);
  assert.deepEqual(judgeAddressSpace(readAddressSpace(memoryFiles({}), [])), []);
});

Deno.test("judgePlaces() warns of files in memory, and of a full file system", () => {
  const types: Record<string, number> = {
    "/tmp/x": 0x01021994,
    "/flash": 0x24051905,
    "/full": 0xef53,
    "/rom": 0x73717368,
  };
  const judge = (program: string, compiled: string) =>
    judgePlaces(readPlaces({ program: { path: program, name: program }, compiled }, (path) => {
      if (!(path in types)) throw new Error("no such file");
      return { type: types[path], freeBytes: path === "/flash" || path === "/tmp/x" ? 40 * MIB : 0 };
    }));
  assert.deepEqual(troubles(judge("/flash", "/flash")), []);
  assert.match(judge("/flash", "/flash")[0].what, /\/flash \(ubifs, 40 MiB free\)/);
  assert.deepEqual(troubles(judge("/tmp/x", "/tmp/x")), ["warning program-place"]);
  assert.match(judge("/tmp/x", "/tmp/x")[0].remedy, /TPROXY_CACHE_DIR/);
  assert.deepEqual(troubles(judge("/flash", "/full")), ["warning compiled-code"]);
  assert.deepEqual(troubles(judge("/rom", "/rom")), []);
  assert.deepEqual(judge("/gone", "/gone"), []);
});
