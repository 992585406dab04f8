/**
 * The image form, mounted: it writes nothing but compiled code, nobody sees its mount, and nothing of it
 * outlives the last process.
 * @module
 */
import assert from "node:assert/strict";
import {
  CHROOT,
  clean,
  fails,
  portableTest,
  type ProductCopy,
  works,
} from "../../laboratory/portable/product_copy.ts";
import { loopDevices, startRun } from "../../laboratory/portable/portable_run.ts";
import { Program, runProgram } from "../../laboratory/program.ts";
import { until } from "../../laboratory/machine/wait.ts";

/** Returns the reason why this kernel cannot mount the image, if any. */
function findObstacle(): string | undefined {
  if (!/\tsquashfs$/m.test(Deno.readTextFileSync("/proc/filesystems"))) return "this kernel has no squashfs";
  try {
    Deno.openSync("/dev/loop-control", { read: true }).close();
  } catch {
    return "this machine has no loop devices";
  }
}

function imageTest(name: string, test: (copy: ProductCopy) => Promise<void>): void {
  portableTest(name, test, "image", findObstacle);
}

async function released(file: string): Promise<void> {
  await until(async () => (await loopDevices(file)).length === 0, {
    what: `the loop device of ${file} to go`,
  });
}

/** Memory for /run, so that this start is the first. */
const FRESH_RUN = "mount -t tmpfs -o mode=755 none /run; ";

imageTest("runs where everything is read-only, and writes compiled code alone", async (copy) => {
  const outcome = await copy.runWithMounts(`${FRESH_RUN}
    mkdir $dir/empty; mount -t tmpfs none /var/cache; mount -t tmpfs -o mode=1777 none /tmp
    mount --bind $dir $dir; mount -o remount,ro,bind $dir; mount -o remount,ro,bind / 2>/dev/null || :
    HOME=$dir $file --version; find /run /tmp /var/cache -type f`);
  works(outcome);
  const files = outcome.stdout.trim().split("\n").slice(1);
  assert.ok(
    files.length > 0 && files.every((path) => path.startsWith("/run/tproxy-compiled/")),
    files.join(" "),
  );
  assert.equal(outcome.stderr, "");
  await released(copy.file);
});

imageTest("runs on a root of 104 MiB, where the packed form has no room", async (copy) => {
  const root = (file: string) =>
    `mkdir -p $dir/root; mount -t tmpfs -o size=104m none $dir/root; dd if=/dev/urandom of=$dir/root/system bs=1M count=16
    ${CHROOT.replace("mkdir $dir/root ", "mkdir ").replace("$file", file)}`;
  const outcome = await copy.runWithMounts(`${root("$file")} --version`);
  works(outcome);
  const packed = copy.file.replace(/[^/]*$/, "packed");
  Deno.copyFileSync(new URL("../../../dist/tproxy", import.meta.url), packed);
  fails(
    await copy.runWithMounts(`${root("$packed")} --version`, { packed }),
    /\/var\/cache\/tproxy: no room: 10\d MiB are needed, \d\d MiB are free/,
  );
});

/** The mounts of this machine, without names of network namespaces: other tests make these meanwhile. */
function readMounts(): string {
  return Deno.readTextFileSync("/proc/self/mountinfo").split("\n").filter((line) =>
    !line.includes(" /run/netns")
  ).join("\n");
}

imageTest("shows its mount to nobody, and has it no longer than it runs", async (copy) => {
  const mounts = readMounts();
  const program = await startRun(copy);
  try {
    assert.equal((await loopDevices(copy.file)).length, 1);
    const inside = Deno.readTextFileSync(`/proc/${program.pid}/mountinfo`);
    assert.ok(!inside.includes("squashfs") || mounts.includes("squashfs"), inside);
    assert.equal(readMounts(), mounts);
    assert.equal(
      Deno.readLinkSync(`/proc/${program.pid}/ns/mnt`),
      Deno.readLinkSync("/proc/self/ns/mnt"),
      "names of network namespaces and mounts of others are seen as ever",
    );
  } finally {
    program.signal("SIGTERM");
    assert.equal(await program.waitForExit(), 0, program.output);
    await program.stop();
  }
  await released(copy.file);
});

imageTest("is mounted once for many, and each file for itself", async (copy) => {
  const other = `${copy.directory}/other`;
  Deno.copyFileSync(copy.file, other);
  const programs = [await startRun(copy), await startRun(copy), await startRun(copy, { file: other })];
  try {
    const starts = Array.from({ length: 8 }, () => runProgram(clean([copy.file, "--version"], {})));
    for (const outcome of await Promise.all(starts)) works(outcome);
    assert.equal((await loopDevices(copy.file)).length, 1);
    assert.equal((await loopDevices(other)).length, 1);
  } finally {
    for (const program of programs) await program.stop("SIGTERM");
  }
  await released(copy.file);
  await released(other);
});

imageTest("makes one device when eight start at the same time", async (copy) => {
  let most = 0;
  let running = true;
  const watching = (async () => {
    while (running) most = Math.max(most, (await loopDevices(copy.file)).length);
  })();
  try {
    const starts = Array.from({ length: 8 }, () => runProgram(clean([copy.file, "--version"], {})));
    for (const outcome of await Promise.all(starts)) works(outcome);
  } finally {
    running = false;
    await watching;
  }
  assert.equal(most, 1);
  await released(copy.file);
});

imageTest("leaves nothing when it is killed, whenever that is", async (copy) => {
  for (let round = 0; round < 12; round++) {
    const program = new Program(clean([copy.file, "--version"], {}));
    await new Promise((resolve) => setTimeout(resolve, round * 40));
    await program.stop("SIGKILL");
  }
  const program = await startRun(copy);
  await program.stop("SIGKILL");
  await released(copy.file);
  works(await runProgram(clean([copy.file, "--version"], {})));
  await released(copy.file);
});

imageTest("cannot be overwritten while it runs, but replaced", async (copy) => {
  const next = `${copy.directory}/next`;
  Deno.copyFileSync(copy.file, next);
  const program = await startRun(copy);
  try {
    const copied = await runProgram(["cp", next, copy.file], { mayFail: true });
    assert.match(copied.stderr, /Text file busy/);
    Deno.renameSync(next, copy.file);
    works(await runProgram(clean([copy.file, "--version"], {})));
    assert.ok(program.running);
  } finally {
    program.signal("SIGTERM");
    assert.equal(await program.waitForExit(), 0, program.output);
    await program.stop();
  }
  await until(async () => (await runProgram(["cp", "/dev/null", copy.file], { mayFail: true })).code === 0, {
    what: "the guard's end",
  });
});

imageTest("refuses to start when its image is damaged, also after it has started once", async (copy) => {
  works(await runProgram(clean([copy.file, "--version"], {})));
  const size = Deno.statSync(copy.file).size;
  for (const at of [1_200_000, size >> 1, size - 100_000]) {
    await runProgram(["sh", "-c", `printf X | dd of=${copy.file} bs=1 seek=${at} conv=notrunc status=none`]);
    fails(
      await runProgram(clean([copy.file, "--version"], {}), { mayFail: true }),
      /tproxy is damaged: the hash of its image is wrong\. Copy it again\.\n$/,
    );
    await runProgram([
      "cp",
      new URL(`../../../dist/tproxy-${Deno.build.arch}-image`, import.meta.url).pathname,
      copy.file,
    ]);
  }
  works(await runProgram(clean([copy.file, "--version"], {})));
  await released(copy.file);
});

imageTest("passes its self-test", async (copy) => {
  const outcome = await runProgram(clean([copy.file, "selftest"], {}), {
    mayFail: true,
    timeoutMs: 240_000,
  });
  assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr);
  await released(copy.file);
});
