import assert from "node:assert/strict";
import { readSmallFile } from "../../../../../src/daemon/control/devices/small_file.ts";

Deno.test("readSmallFile() reads a file of some size, and nothing else that somebody puts in its place", async () => {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/leases`;
  assert.equal(await readSmallFile(path, 100), undefined);
  Deno.writeTextFileSync(path, "a".repeat(100));
  assert.equal(await readSmallFile(path, 100), "a".repeat(100));
  assert.equal(await readSmallFile(path, 99), undefined);
  Deno.removeSync(path);
  await new Deno.Command("mkfifo", { args: [path] }).output();
  assert.equal(await readSmallFile(path, 100), undefined);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("readSmallFile() gives up a file that is longer than it seemed", async () => {
  // Its size is 0, and it has some megabytes.
  assert.equal(Deno.statSync("/proc/kallsyms").size, 0);
  assert.equal(await readSmallFile("/proc/kallsyms", 256 * 1024), undefined);
});
