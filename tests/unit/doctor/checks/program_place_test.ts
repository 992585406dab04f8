import assert from "node:assert/strict";
import { judgePlaces, readPlaces } from "../../../../src/doctor/checks/program_place.ts";
import { memoryFiles, troubles } from "../support/machine.ts";

const MIB = 1024 ** 2;

Deno.test("judgePlaces() warns of files in memory, and of a full file system", () => {
  const types: Record<string, number> = {
    "/tmp/x": 0x01021994,
    "/flash": 0x24051905,
    "/full": 0xef53,
    "/rom": 0x73717368,
  };
  const files = {
    ...memoryFiles({}),
    fileSystem: (path: string) =>
      path in types
        ? { type: types[path], freeBytes: path === "/flash" || path === "/tmp/x" ? 40 * MIB : 0 }
        : undefined,
  };
  const judge = (program: string, compiled: string) =>
    judgePlaces(readPlaces({ program: { path: program, name: program }, compiled }, files));
  assert.deepEqual(troubles(judge("/flash", "/flash")), []);
  assert.match(judge("/flash", "/flash")[0].what, /\/flash \(ubifs, 40 MiB free\)/);
  assert.deepEqual(troubles(judge("/tmp/x", "/tmp/x")), ["warning program-place"]);
  assert.match(judge("/tmp/x", "/tmp/x")[0].remedy, /TPROXY_CACHE_DIR/);
  assert.deepEqual(troubles(judge("/flash", "/full")), ["warning compiled-code"]);
  assert.deepEqual(troubles(judge("/rom", "/rom")), []);
  assert.deepEqual(judge("/gone", "/gone"), []);
});
