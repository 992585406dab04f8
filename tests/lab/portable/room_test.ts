/**
 * The single file where room is short: it says how much it needs, removes what it may, and leaves nothing
 * half-done.
 * @module
 */
import assert from "node:assert/strict";
import { layerOf, readPortable, writeVariant } from "../../laboratory/portable/portable.ts";
import { fails, portableTest } from "../../laboratory/portable/product_copy.ts";

portableTest("says how much room it needs where, and leaves nothing", async (copy) => {
  const outcome = await copy.runWithMounts(`
    mkdir $dir/small; mount -t tmpfs -o size=20m none $dir/small
    TPROXY_CACHE_DIR=$dir/small/cache $file --version || code=$?
    find $dir/small/cache -mindepth 1 ! -name .lock >&2
    exit $code`);
  fails(
    outcome,
    /small\/cache: no room: \d+ MiB are needed, (19|20) MiB are free\nSet TPROXY_CACHE_DIR to .* \d+ MiB free/,
  );
  assert.match(outcome.stderr, /noexec\.\n$/, "nothing is listed after the message");
});

portableTest("cleans up when the room ends while it writes", async (copy) => {
  const outcome = await copy.runWithMounts(`
    mkdir $dir/small; mount -t tmpfs -o size=500m,nr_inodes=6 none $dir/small
    TPROXY_CACHE_DIR=$dir/small/cache $file --version || code=$?
    find $dir/small/cache -mindepth 1 ! -name .lock >&2
    exit $code`);
  fails(outcome, /small\/cache: no room: a quota or the inodes are used up/);
  assert.match(outcome.stderr, /noexec\.\n$/, "nothing is listed after the message");
});

portableTest("makes room by removing an unused version", async (copy) => {
  const old = `${copy.directory}/old`;
  const portable = readPortable(copy.file);
  const lines = portable.lines.map((line) => line.replace(/^(layer \w+ \S+) /, "$1-old "));
  writeVariant(old, portable, { lines });
  const outcome = await copy.runWithMounts(
    `
    mkdir $dir/small; mount -t tmpfs -o size=150m none $dir/small
    export TPROXY_CACHE_DIR=$dir/small/cache
    $old --version; $file --version; ls $TPROXY_CACHE_DIR`,
    { old },
  );
  assert.equal(outcome.code, 0, outcome.stderr);
  const names = ["program", "runtime"].map((name) => layerOf(portable, name).id);
  assert.deepEqual(outcome.stdout.trim().split("\n").slice(2).sort(), names);
});

/** Returns the reason why no file system that compresses can be mounted, if any. */
function findObstacle(): string | undefined {
  if (!/\tbtrfs$/m.test(Deno.readTextFileSync("/proc/filesystems"))) return "this kernel has no btrfs";
  const { success } = new Deno.Command("sh", { args: ["-c", "command -v mkfs.btrfs"], stdout: "null" })
    .outputSync();
  return success ? undefined : "mkfs.btrfs is not there (package btrfs-progs)";
}

/**
 * A disk of 256 MiB that compresses, with so much of other data on it; then the program starts in a directory
 * of it.
 */
function onCompressingDisk(otherMib: number, prepare = ""): string {
  return `truncate -s 256M $dir/disk; mkfs.btrfs -q --mixed $dir/disk >/dev/null; mkdir -p $dir/small
    mount -o loop,compress=zstd $dir/disk $dir/small; mkdir -m 700 $dir/small/cache; ${prepare}
    dd if=/dev/urandom of=$dir/small/other bs=1M count=${otherMib} 2>/dev/null; sync
    stat -f -c '%a %S' $dir/small
    TPROXY_CACHE_DIR=$dir/small/cache $file --version || code=$?
    find $dir/small/cache -mindepth 1 -maxdepth 1 ! -name .lock ! -name 'program-*' ! -name 'runtime-*' >&2
    umount $dir/small; exit $code`;
}

portableTest(
  "fits where the file system compresses",
  async (copy) => {
    const outcome = await copy.runWithMounts(onCompressingDisk(157));
    assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr);
    const [blocks, size] = outcome.stdout.split("\n")[0].split(" ").map(Number);
    assert.ok(blocks * size < 98 * 2 ** 20, `less than the files are long: ${outcome.stdout}`);
    assert.match(outcome.stdout, /\ntproxy \d/);
  },
  "packed",
  findObstacle,
);

portableTest(
  "undoes what does not fit where the file system compresses",
  async (copy) => {
    // The estimate fits; but this directory's files are not compressed.
    const outcome = await copy.runWithMounts(onCompressingDisk(170, "chattr +m $dir/small/cache;"));
    assert.equal(outcome.code, 1, outcome.stdout + outcome.stderr);
    assert.match(
      outcome.stderr,
      /no room: about 6\d MiB are needed \(this file system compresses\), \d+ MiB are free/,
    );
    assert.match(outcome.stderr, /noexec\.\n$/, "nothing is listed after the message");
  },
  "packed",
  findObstacle,
);
