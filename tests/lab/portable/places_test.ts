/**
 * Directories into which the single file unpacks, and its reasons to refuse one.
 * @module
 */
import assert from "node:assert/strict";
import { fails, NOBODY, portableTest, works } from "../../laboratory/portable/product_copy.ts";

portableTest("refuses a chosen directory that it cannot use, and says why", async (copy) => {
  const use = "TPROXY_CACHE_DIR=$dir/there $file --version";
  for (const option of ["noexec", "ro"]) {
    const outcome = await copy.runWithMounts(
      `mkdir -p $dir/there; mount -t tmpfs -o mode=700,${option} none $dir/there; ${use}`,
    );
    fails(outcome, option === "ro" ? /there: .*Read-only file system/ : /there: is mounted noexec/);
  }
  fails(await copy.run([...NOBODY, copy.file, "--version"]), /cache: cannot be made: Permission denied/);
  fails(
    await copy.run([...NOBODY, copy.file, "--version"], { TPROXY_CACHE_DIR: "/root/x" }),
    /Permission denied/,
  );
  fails(await copy.runWithMounts(`chmod 777 $dir/there; ${use}`), /open to other users \(mode 0777/);
  fails(
    await copy.runWithMounts(`chmod 755 $dir/there; chown nobody $dir/there; ${use}`),
    /belongs to the user 65534/,
  );
  fails(
    await copy.runWithMounts(`touch $dir/file; TPROXY_CACHE_DIR=$dir/file $file --version`),
    /Not a directory/,
  );
  assert.deepEqual([...Deno.readDirSync(`${copy.directory}/there`)], []);
});

portableTest("uses what is unpacked already on a read-only file system", async (copy) => {
  works(await copy.run([copy.file, "--version"]));
  works(
    await copy.runWithMounts(`mount --bind $dir/cache $dir/cache; mount -o remount,ro,bind $dir/cache
      TPROXY_CACHE_DIR=$dir/cache $file --version`),
  );
});

portableTest("goes from place to place when none is chosen", async (copy) => {
  const home = `${copy.directory}/home`;
  const show =
    `$file --version; [ ! -d /var/cache/tproxy ] || echo var; [ ! -d ${home}/.cache/tproxy ] || echo home
    [ ! -d /tmp/tproxy-0 ] || echo tmp`;
  const start = `mkdir -p ${home}; mount -t tmpfs -o mode=1777 none /tmp; `;
  for (
    const [places, mounts] of [
      ["var", "mount -t tmpfs none /var/cache"],
      ["home", "mount -t tmpfs -o ro none /var/cache"],
      ["var home", "mount -t tmpfs -o noexec none /var/cache"],
      ["var home", "mount -t tmpfs -o size=1m none /var/cache"],
      ["tmp", `mount -t tmpfs -o ro none /var/cache; mount -t tmpfs -o ro none ${home}`],
      [
        "tmp",
        `mount -t tmpfs -o ro none /var/cache; mount -t tmpfs -o mode=777 none ${home}; mkdir -m 777 ${home}/.cache`,
      ],
    ]
  ) {
    const outcome = await copy.runWithMounts(`${start}${mounts}; ${show}`, { HOME: home });
    works(outcome);
    assert.ok(
      outcome.stdout.trim().split("\n").slice(1).join(" ").endsWith(places),
      `${mounts}: ${outcome.stdout}`,
    );
    await Deno.remove(home, { recursive: true });
  }
});

portableTest("runs as an ordinary user, in /tmp only where nobody else had a hand", async (copy) => {
  const show = `${NOBODY.join(" ")} env HOME=/nonexistent $file --version`;
  const start = "mount -t tmpfs -o mode=1777 none /tmp; ";
  const outcome = await copy.runWithMounts(`${start}${show}; stat -c '%a %u' /tmp/tproxy-65534`);
  works(outcome);
  assert.match(outcome.stdout, /\n700 65534\n$/);
  for (
    const [trick, reason] of [
      ["mkdir -m 755 /tmp/tproxy-65534", /belongs to the user 0/],
      ["mkdir -m 700 /tmp/tproxy-65534", /cannot be opened: Permission denied/],
      ["mkdir -m 755 /tmp/tproxy-65534; chown nobody /tmp/tproxy-65534", /open to other users/],
      ["mkdir -m 700 /tmp/x; chown nobody /tmp/x; ln -s x /tmp/tproxy-65534", /cannot be opened/],
    ] as const
  ) fails(await copy.runWithMounts(`${start}${trick}; ${show}`), reason);
});
