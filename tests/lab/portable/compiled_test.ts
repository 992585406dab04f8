/**
 * Compiled code comes with the product, in every form, and is used from the first start on: without it a run
 * has twice as much memory of its own, and takes four times as long to start.
 * @module
 */
import assert from "node:assert/strict";
import { portableTest, type ProductForm, works } from "../../laboratory/portable/product_copy.ts";
import { anonymousMemory, startRun } from "../../laboratory/portable/portable_run.ts";

/** MB: a start has 36 to 42 with compiled code, 34 when it has settled; 59 and more without. */
const MOST = 50;

for (const form of ["packed", "image", "installed"] satisfies ProductForm[]) {
  portableTest("has compiled code at its first run, and at later ones", async (copy) => {
    const env = form === "packed" ? { TPROXY_CACHE_DIR: copy.cache } : { RUNTIME_DIRECTORY: copy.directory };
    for (let round = 0; round < 2; round++) {
      const program = await startRun(copy, { env });
      try {
        const megabytes = anonymousMemory(program.pid);
        assert.ok(megabytes < MOST, `start ${round + 1}: ${megabytes} MB`);
      } finally {
        await program.stop("SIGTERM");
      }
    }
  }, form);
}

portableTest(
  "makes compiled code anew where it was damaged, and goes without where nothing can be written",
  async (copy) => {
    await copy.unpack();
    const program = copy.cached().find((name) => name.startsWith("program-"))!;
    Deno.writeTextFileSync(`${copy.cache}/${program}/deno-dir/v8_code_cache_v2`, "no database");
    works(await copy.run([copy.file, "--version"]));
    works(
      await copy.runWithMounts(`rm -r $dir/cache/${program}/deno-dir
      for place in $dir/cache /run /tmp; do mount --bind $place $place; mount -o remount,ro,bind $place; done
      TPROXY_CACHE_DIR=$dir/cache $file --version`),
    );
  },
);

portableTest("keeps compiled code in memory where the cache cannot be written to", async (copy) => {
  await copy.unpack();
  const outcome = await copy.runWithMounts(
    `mount --bind $dir/cache $dir/cache; rm -r $dir/cache/program-*/deno-dir
    mount -o remount,ro,bind $dir/cache; mount -t tmpfs -o mode=755 none /run
    TPROXY_CACHE_DIR=$dir/cache $file --version; ls /run/tproxy-compiled/*/v8_code_cache_v2`,
  );
  works(outcome);
  assert.match(outcome.stdout, /\n\/run\/tproxy-compiled\/deno-program-\S+\/v8_code_cache_v2\n$/);
});
