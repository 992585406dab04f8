/**
 * The single file where room is short: it says how much it needs, removes what it may, and leaves nothing half-done.
 * @module
 */
import assert from "node:assert/strict";
import { layerOf, readPortable, writeVariant } from "../support/portable.ts";
import { fails, portableTest } from "../support/portable_bench.ts";

portableTest("says how much room it needs where, and leaves nothing", async (bench) => {
  const outcome = await bench.runWithMounts(`
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

portableTest("cleans up when the room ends while it writes", async (bench) => {
  const outcome = await bench.runWithMounts(`
    mkdir $dir/small; mount -t tmpfs -o size=500m,nr_inodes=6 none $dir/small
    TPROXY_CACHE_DIR=$dir/small/cache $file --version || code=$?
    find $dir/small/cache -mindepth 1 ! -name .lock >&2
    exit $code`);
  fails(outcome, /small\/cache: no room: a quota or the inodes are used up/);
  assert.match(outcome.stderr, /noexec\.\n$/, "nothing is listed after the message");
});

portableTest("makes room by removing an unused version", async (bench) => {
  const old = `${bench.directory}/old`;
  const portable = readPortable(bench.file);
  const lines = portable.lines.map((line) => line.replace(/^(layer \w+ \S+) /, "$1-old "));
  writeVariant(old, portable, { lines });
  const outcome = await bench.runWithMounts(
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

/** Why nothing that compresses can be mounted. */
function findObstacle(): string | undefined {
  if (!/\tbtrfs$/m.test(Deno.readTextFileSync("/proc/filesystems"))) return "this kernel has no btrfs";
  const { success } = new Deno.Command("sh", { args: ["-c", "command -v mkfs.btrfs"], stdout: "null" })
    .outputSync();
  return success ? undefined : "mkfs.btrfs is not there (package btrfs-progs)";
}

portableTest(
  "tries where the file system compresses, and undoes it when it does not fit",
  async (bench) => {
    // 256 MiB with 120 of other data: too little for 100 MiB, enough for what is left of them.
    const outcome = await bench.runWithMounts(`
    truncate -s 256M $dir/disk; mkfs.btrfs -q -m single $dir/disk; mkdir $dir/small
    mount -o loop,compress=zstd $dir/disk $dir/small
    dd if=/dev/urandom of=$dir/small/other bs=1M count=145 2>/dev/null; sync
    stat -f -c '%a %S' $dir/small
    TPROXY_CACHE_DIR=$dir/small/cache $file --version
    rm -r $dir/small/cache; dd if=/dev/urandom of=$dir/small/more bs=1M count=70 2>/dev/null; sync
    TPROXY_CACHE_DIR=$dir/small/cache $file --version || code=$?
    find $dir/small/cache -mindepth 1 ! -name .lock >&2; umount $dir/small; exit $code`);
    assert.equal(outcome.code, 1, outcome.stdout + outcome.stderr);
    const [room, version] = outcome.stdout.trim().split("\n");
    const [blocks, size] = room.split(" ").map(Number);
    assert.ok(blocks * size < 100 * 2 ** 20, `less than the files are long: ${room}`);
    assert.match(version, /^tproxy \d/);
    assert.match(
      outcome.stderr,
      /no room: about \d\d MiB are needed \(this file system compresses\), \d+ MiB are free/,
    );
    assert.match(outcome.stderr, /noexec\.\n$/, "nothing is listed after the message");
  },
  "packed",
  findObstacle,
);
