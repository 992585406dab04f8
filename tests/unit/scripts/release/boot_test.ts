/** Boot files as packages have them. */
import assert from "node:assert/strict";
import { readSeal } from "../../../../src/boot/seal.ts";
import { bootFiles } from "../../../../scripts/lib/release/content/boot.ts";

Deno.test("bootFiles() puts files where packages have them", () => {
  assert.deepEqual(bootFiles("systemd").map(({ path }) => path), ["lib/systemd/system/tproxy.service"]);
  assert.deepEqual(bootFiles("openwrt").map(({ path }) => path).sort(), [
    "etc/init.d/tproxy",
    "lib/upgrade/keep.d/tproxy",
    "usr/share/nftables.d/chain-pre/input/20-tproxy.nft",
  ]);
});

Deno.test("bootFiles() says that a package brings them, and starts the package's program", () => {
  for (const file of [...bootFiles("systemd"), ...bootFiles("openwrt")]) {
    assert.ok("content" in file);
    const seal = readSeal(new TextDecoder().decode(file.content));
    assert.equal(seal?.maker, "package", file.path);
    assert.equal(seal?.intact, true, file.path);
    assert.deepEqual(seal?.settings, {
      binary: "/usr/bin/tproxy",
      drainSeconds: 30,
      mark: 1,
      backend: "netlink",
    });
  }
});
