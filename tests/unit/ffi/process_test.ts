import assert from "node:assert/strict";
import { fileSystemOf } from "../../../ffi/process.ts";
import { ENOENT } from "../../../src/net/errno.ts";

/** Type, bytes of a block and free blocks, by coreutils. */
function askStat(path: string): number[] {
  const { stdout } = new Deno.Command("stat", { args: ["-f", "-c", "%t %S %a", path] }).outputSync();
  const [type, size, blocks] = new TextDecoder().decode(stdout).trim().split(" ");
  return [parseInt(type, 16), Number(size) * Number(blocks)];
}

Deno.test("fileSystemOf() tells what stat does, and an error", () => {
  for (const path of ["/proc", "/dev", "/sys"]) {
    const found = fileSystemOf(path);
    assert.ok(typeof found !== "number", path);
    const [type, free] = askStat(path);
    assert.equal(found.type, type, path);
    assert.ok(Math.abs(found.freeBytes - free) < 1e8, `${path}: ${found.freeBytes}, ${free}`);
  }
  assert.equal(fileSystemOf("/proc/none"), -ENOENT);
});
