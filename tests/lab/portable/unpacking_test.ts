/**
 * Unpacking: by many at once, killed in the middle, over what is damaged, beside what is used.
 * @module
 */
import assert from "node:assert/strict";
import { layerOf, readPortable, writeWithProgram } from "../../laboratory/portable/portable.ts";
import { clean, portableTest, STAND_IN, works } from "../../laboratory/portable/product_copy.ts";
import { Program } from "../../laboratory/program.ts";
import { until } from "../../laboratory/machine/wait.ts";

portableTest("unpacks once when eight start at the same time", async (copy) => {
  for (
    const outcome of await Promise.all(Array.from({ length: 8 }, () => copy.run([copy.file, "--version"])))
  ) {
    works(outcome);
  }
  const portable = readPortable(copy.file);
  assert.deepEqual(copy.cached(), ["program", "runtime"].map((name) => layerOf(portable, name).id));
});

portableTest("starts again after it was killed while unpacking", async (copy) => {
  for (let round = 0; round < 3; round++) {
    const program = new Program(clean([copy.file, "--version"], { TPROXY_CACHE_DIR: copy.cache }));
    await until(() => isUnpacking(copy.cache), { what: "an unpacking directory", pollMs: 1 });
    await program.stop("SIGKILL");
    assert.ok(copy.cached().some((name) => name.startsWith(".unpack-")), "it was killed in the middle");
  }
  works(await copy.run([copy.file, "--version"]));
  assert.equal(copy.cached().length, 2, copy.cached().join(" "));
});

function isUnpacking(cache: string): boolean {
  try {
    return [...Deno.readDirSync(cache)].some((entry) => entry.name.startsWith(".unpack-"));
  } catch {
    return false;
  }
}

portableTest("repairs what was damaged in the cache", async (copy) => {
  works(await copy.run([copy.file, "--version"]));
  const portable = readPortable(copy.file);
  const [runtime, program] = ["runtime", "program"].map((name) =>
    `${copy.cache}/${layerOf(portable, name).id}`
  );
  const original = Deno.readFileSync(`${program}/tproxy.js`);
  for (
    const damage of [
      () => Deno.truncateSync(`${runtime}/deno`, 1_000_000),
      () => Deno.removeSync(`${runtime}/libc.so.6`),
      () =>
        Deno.writeFileSync(`${program}/tproxy.js`, original.map((byte, at) => at === 0 ? byte ^ 1 : byte)),
      () => Deno.chmodSync(`${runtime}/tproxy`, 0o644),
      () => Deno.removeSync(program, { recursive: true }),
      () => {
        Deno.removeSync(`${program}/tproxy.js`);
        Deno.symlinkSync("/dev/null", `${program}/tproxy.js`);
      },
    ]
  ) {
    damage();
    works(await copy.run([copy.file, "--version"]));
    assert.deepEqual(Deno.readFileSync(`${program}/tproxy.js`), original);
    assert.equal(copy.cached().length, 2, copy.cached().join(" "));
  }
});

portableTest("removes an older version, but not while it runs", async (copy) => {
  const portable = readPortable(copy.file);
  const next = `${copy.directory}/next`;
  await writeWithProgram(next, portable, { name: "1", text: STAND_IN });
  const runtime = layerOf(portable, "runtime").id;

  const old = new Program(clean([copy.standIn, "wait"], { TPROXY_CACHE_DIR: copy.cache }));
  try {
    await old.waitForOutput("ready");
    works(await copy.run([next, "--version"]));
    assert.deepEqual(copy.cached(), ["program-test-0", "program-test-1", runtime]);
  } finally {
    await old.stop();
  }
  works(await copy.run([copy.file, "--version"]));
  assert.deepEqual(copy.cached(), [layerOf(portable, "program").id, runtime], "a shared runtime stays");
});
