/**
 * The single file where nothing else is: no C library, no shell, no place but /var.
 * @module
 */
import assert from "node:assert/strict";
import { CHROOT, portableTest, works } from "../../laboratory/portable/product_copy.ts";

portableTest("runs in a chroot that holds nothing else", async (copy) => {
  works(await copy.runWithMounts(CHROOT + "--version"));
  assert.deepEqual(
    [...Deno.readDirSync(`${copy.directory}/root`)].map((entry) => entry.name).sort(),
    ["dev", "proc", "sys", "tproxy", "var"],
  );
});

portableTest("checks the built-in config in a chroot", async (copy) => {
  const outcome = await copy.runWithMounts(CHROOT + "check");
  assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr);
});

portableTest("prints its plan in a chroot", async (copy) => {
  const script =
    "ip link add lan0 type veth peer name lan1; ip link set lan0 up; ip addr add 192.0.2.1/24 dev lan0; ip link set lan1 up; ip addr add 198.51.100.1/24 dev lan1; ip route add default dev lan1;";
  const outcome = await copy.runWithMounts(
    `exec unshare --net sh -ec '${script} ${CHROOT} install --dry-run'`,
  );
  assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr);
  assert.match(outcome.stdout, /table inet transparent_proxy/);
  assert.match(outcome.stdout, /lan0/);
});
