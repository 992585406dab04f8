/**
 * Unpacking: by many at once, killed in the middle, over what is damaged, beside what is used.
 * @module
 */
import assert from "node:assert/strict";
import { layerOf, readPortable, writeWithProgram } from "../../laboratory/portable/portable.ts";
import { clean, portableTest, PROGRAM, works } from "../../laboratory/portable/portable_bench.ts";
import { Program } from "../../laboratory/program.ts";
import { until } from "../../laboratory/machine/wait.ts";

portableTest("unpacks once when eight start at the same time", async (bench) => {
  for (
    const outcome of await Promise.all(Array.from({ length: 8 }, () => bench.run([bench.file, "--version"])))
  ) {
    works(outcome);
  }
  const portable = readPortable(bench.file);
  assert.deepEqual(bench.cached(), ["program", "runtime"].map((name) => layerOf(portable, name).id));
});

portableTest("starts again after it was killed while unpacking", async (bench) => {
  for (let round = 0; round < 3; round++) {
    const program = new Program(clean([bench.file, "--version"], { TPROXY_CACHE_DIR: bench.cache }));
    await until(() => isUnpacking(bench.cache), { what: "an unpacking directory", pollMs: 1 });
    await program.stop("SIGKILL");
    assert.ok(bench.cached().some((name) => name.startsWith(".unpack-")), "it was killed in the middle");
  }
  works(await bench.run([bench.file, "--version"]));
  assert.equal(bench.cached().length, 2, bench.cached().join(" "));
});

function isUnpacking(cache: string): boolean {
  try {
    return [...Deno.readDirSync(cache)].some((entry) => entry.name.startsWith(".unpack-"));
  } catch {
    return false;
  }
}

portableTest("repairs what was damaged in the cache", async (bench) => {
  works(await bench.run([bench.file, "--version"]));
  const portable = readPortable(bench.file);
  const [runtime, program] = ["runtime", "program"].map((name) =>
    `${bench.cache}/${layerOf(portable, name).id}`
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
    works(await bench.run([bench.file, "--version"]));
    assert.deepEqual(Deno.readFileSync(`${program}/tproxy.js`), original);
    assert.equal(bench.cached().length, 2, bench.cached().join(" "));
  }
});

portableTest("removes an older version, but not while it runs", async (bench) => {
  const portable = readPortable(bench.file);
  const next = `${bench.directory}/next`;
  await writeWithProgram(next, portable, { name: "1", text: PROGRAM });
  const runtime = layerOf(portable, "runtime").id;

  const old = new Program(clean([bench.stand, "wait"], { TPROXY_CACHE_DIR: bench.cache }));
  try {
    await old.waitForOutput("ready");
    works(await bench.run([next, "--version"]));
    assert.deepEqual(bench.cached(), ["program-test-0", "program-test-1", runtime]);
  } finally {
    await old.stop();
  }
  works(await bench.run([bench.file, "--version"]));
  assert.deepEqual(bench.cached(), [layerOf(portable, "program").id, runtime], "a shared runtime stays");
});
