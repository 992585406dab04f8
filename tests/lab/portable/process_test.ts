/**
 * The launcher becomes the program: what a process hands on from before exec to after it.
 * @module
 */
import assert from "node:assert/strict";
import { clean, NOBODY, portableTest, works } from "../../laboratory/portable/product_copy.ts";
import { Program, runProgram } from "../../laboratory/program.ts";

portableTest("becomes the program: same process, arguments, exit code, input, signals", async (copy) => {
  await copy.unpack();
  works(await copy.run([copy.standIn, "--version"])); // its program as well
  const args = ["--a", "b c", "", "-c", "--", "ä*"];
  const program = new Program(
    clean([copy.standIn, "tell", ...args], { TPROXY_CACHE_DIR: copy.cache, LD_PRELOAD: "x.so" }),
  );
  assert.equal(await program.waitForExit(), 0, program.output);
  const told = JSON.parse(program.stdout);
  await program.stop();
  assert.deepEqual(told.args, args);
  assert.equal(told.pid, program.pid);
  assert.equal(told.name, "tproxy");
  assert.equal(told.environment.TPROXY_SELF, copy.standIn);
  assert.equal(told.environment.TPROXY_CACHE_DIR, copy.cache);
  assert.equal(told.environment.DENO_DIR, `${copy.cache}/program-test-0/deno-dir`);
  assert.equal(told.environment.LD_PRELOAD, undefined);
  assert.equal(told.environment.GLIBC_TUNABLES, "glibc.malloc.mmap_threshold=131072");
  assert.equal((await copy.run([copy.standIn, "exit", "42"])).code, 42);
  const cat = clean([copy.standIn, "cat"], { TPROXY_CACHE_DIR: copy.cache });
  assert.equal((await runProgram(cat, { input: "through\n" })).stdout, "through\n");

  const waiting = new Program(clean([copy.standIn, "wait"], { TPROXY_CACHE_DIR: copy.cache }));
  await waiting.waitForOutput(`ready ${waiting.pid}`);
  waiting.signal("SIGTERM");
  assert.equal(await waiting.waitForExit(), 7);
  await waiting.stop();
});

portableTest("takes a path of its own: symbolic link, relative, closed standard streams", async (copy) => {
  Deno.symlinkSync("stand_in", `${copy.directory}/link`);
  const outcome = await copy.run(["sh", "-c", `cd ${copy.directory} && ./link tell <&-`], {
    TPROXY_CACHE_DIR: "cache",
  });
  assert.equal(outcome.code, 0, outcome.stderr);
  const { environment } = JSON.parse(outcome.stdout);
  assert.equal(environment.TPROXY_SELF, copy.standIn);
  assert.equal(environment.TPROXY_CACHE_DIR, copy.cache);
});

portableTest("gives selftest a user namespace when it is not root", async (copy) => {
  const run = (argv: string) =>
    copy.runWithMounts(
      `mount -t tmpfs -o mode=1777 none /tmp; mount -t tmpfs none /var/cache; ${argv}`,
      { HOME: "/nonexistent" },
    );
  assert.match((await run("$stand_in selftest")).stdout, /^undefined 0 /);
  const user = NOBODY.join(" ");
  const entered = await run(`${user} $stand_in selftest`);
  const allowed = await runProgram([...NOBODY, "unshare", "--user", "--net", "true"], { mayFail: true });
  if (allowed.code === 0) assert.match(entered.stdout, /^1 0 0*[1-9a-f]\w+\n$/);
  else assert.match(entered.stdout, /^E[A-Z]+ 65534 0+\n$/);
  // A process in a chroot may not make a user namespace.
  const refused = await run(`mkdir /tmp/proc $dir/chroot; mount --rbind / $dir/chroot
    chroot $dir/chroot ${user} $stand_in selftest`);
  assert.match(refused.stdout, /^EPERM 65534 0+\n$/, refused.stderr);
});
