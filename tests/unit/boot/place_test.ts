import assert from "node:assert/strict";
import { isInHome, whyVolatile } from "../../../src/boot/place.ts";

/** OpenWrt: the flash below an overlay, /tmp in memory, a stick with a blank in its name. */
const MOUNTS = `15 1 0:13 / / rw,noatime - overlay overlayfs:/overlay rw,lowerdir=/,upperdir=/overlay/upper
16 15 0:5 / /dev rw,nosuid - devtmpfs devtmpfs rw
17 15 0:15 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw
18 15 8:1 / /mnt/my\\040stick rw shared:3 master:1 - ext4 /dev/sda1 rw
19 15 0:20 / /mnt/ram rw - tmpfs tmpfs rw
20 19 8:2 / /mnt/ram/disk rw - ext4 /dev/sda2 rw
`;

Deno.test("whyVolatile() knows folders that are emptied, and file systems in memory", () => {
  const cases: [path: string, why: RegExp | undefined][] = [
    ["/usr/bin/tproxy", undefined],
    ["/overlay/tproxy", undefined],
    ["/tmp/tproxy", /^\/tmp does not survive a boot$/],
    ["/var/tmp/tproxy", /^\/var\/tmp does/],
    ["/run/x/tproxy", /^\/run does/],
    ["/tmpfiles/tproxy", undefined],
    ["/mnt/ram/tproxy", /^\/mnt\/ram is in memory \(tmpfs\)$/],
    ["/mnt/ramdisk/tproxy", undefined],
    ["/mnt/ram/disk/tproxy", undefined],
    ["/mnt/my stick/tproxy", undefined],
  ];
  for (const [path, why] of cases) {
    const said = whyVolatile(path, MOUNTS);
    if (why === undefined) assert.equal(said, undefined, path);
    else assert.match(said ?? "", why, path);
  }
});

Deno.test("whyVolatile() leaves a machine alone whose root is in memory, and does without /proc", () => {
  assert.equal(whyVolatile("/usr/bin/tproxy", "1 1 0:1 / / rw - rootfs rootfs rw\n"), undefined);
  assert.equal(whyVolatile("/usr/bin/tproxy", "1 1 0:1 / / rw - tmpfs tmpfs rw\n"), undefined);
  assert.equal(whyVolatile("/usr/bin/tproxy", ""), undefined);
  assert.match(whyVolatile("/tmp/tproxy", "") ?? "", /does not survive/);
});

Deno.test("isInHome() knows what ProtectHome= closes", () => {
  assert.deepEqual(
    ["/root/tproxy", "/home/me/tproxy", "/run/user/0/x", "/usr/bin/tproxy", "/rooted/x"].map(isInHome),
    [true, true, true, false, false],
  );
});
