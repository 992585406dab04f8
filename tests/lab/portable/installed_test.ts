/**
 * The installed form: runs from the files of a package and unpacks nothing.
 * @module
 */
import assert from "node:assert/strict";
import { clean, fails, NOBODY, portableTest, works } from "../../laboratory/portable/product_copy.ts";
import { startRun } from "../../laboratory/portable/portable_run.ts";
import { runProgram } from "../../laboratory/program.ts";

const FORM = "installed";

portableTest("runs where everything is read-only, and unpacks nothing", async (copy) => {
  const outcome = await copy.runWithMounts(`
    for place in /var/cache /tmp /run; do mount -t tmpfs -o mode=1777 none $place; done
    mount --bind $dir $dir; mount -o remount,ro,bind $dir
    TPROXY_CACHE_DIR=/tmp/x HOME=$dir $file --version; find /var/cache /tmp /run -type f | grep -v /run/tproxy-compiled/ || :`);
  works(outcome);
  assert.equal(outcome.stdout.trim().split("\n").length, 1, outcome.stdout);
  const dark = await copy.runWithMounts(`
    for place in /var/cache /tmp /run $dir; do mount --bind $place $place; mount -o remount,ro,bind $place; done
    $file --version`);
  works(dark);
}, FORM);

portableTest("is found from wherever it is called, as anybody", async (copy) => {
  Deno.symlinkSync(copy.file, `${copy.directory}/link`);
  works(await runProgram(clean([`${copy.directory}/link`, "--version"], {})));
  works(await runProgram(["sh", "-c", `cd ${copy.directory}/usr && PATH=bin:$PATH tproxy --version`]));
  // Else what Deno compiles would stay in /tmp.
  const own = `${copy.directory}/own`;
  Deno.mkdirSync(own);
  Deno.chownSync(own, 65534, 65534);
  works(await runProgram(clean([...NOBODY, copy.file, "--version"], { RUNTIME_DIRECTORY: own })));
}, FORM);

portableTest("says which file is missing or of another version", async (copy) => {
  const library = `${copy.directory}/usr/lib/tproxy`;
  const start = () => runProgram(clean([copy.file, "--version"], {}), { mayFail: true });
  for (
    const [damage, reason] of [
      [
        `truncate -s -1 ${library}/program/worker.js`,
        /program\/worker\.js is missing, or is not the one of this version/,
      ],
      [`chmod -x ${library}/runtime/deno`, /runtime\/deno is missing, or is not/],
      [
        `chmod +x ${library}/runtime/deno; rm ${library}/runtime/libc.so.6`,
        /runtime\/libc\.so\.6 is missing/,
      ],
      [
        `rm -r ${library}`,
        /cannot open .*usr\/lib\/tproxy\/runtime: No such file or directory\. Install the package again/,
      ],
    ] as const
  ) {
    await runProgram(["sh", "-c", damage]);
    fails(await start(), reason);
  }
}, FORM);

portableTest("starts eight times at once, and two versions beside each other", async (copy) => {
  const other = `${copy.directory}/other`;
  await runProgram(["cp", "-a", `${copy.directory}/usr`, `${other}`]);
  const program = await startRun(copy);
  try {
    const starts = Array.from(
      { length: 8 },
      (_, i) => runProgram(clean([i % 2 ? copy.file : `${other}/bin/tproxy`, "--version"], {})),
    );
    for (const outcome of await Promise.all(starts)) works(outcome);
  } finally {
    program.signal("SIGTERM");
    assert.equal(await program.waitForExit(), 0, program.output);
    await program.stop();
  }
}, FORM);
