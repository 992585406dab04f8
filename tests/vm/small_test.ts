/**
 * Small routers: little memory, a root file system of the size of OpenWrt's images, one that cannot be
 * written.
 * @module
 */
import assert from "node:assert/strict";
import { print } from "../laboratory/machine/print.ts";
import { browse, complaints, exchange, startProxy, stopProxy, withHosts } from "./support/path.ts";
import { missingFile, PRODUCT_MODULES, productFile, TPROXY } from "./support/product.ts";
import { putPrograms } from "./support/programs.ts";
import { vmTest } from "./support/scenario.ts";
import type { Vm } from "./support/vm.ts";

const SEEN = "10.1.0.2\n192.0.2.2: whole\nfd01::2\n[2001:db8::2]: whole";
const IMAGE = productFile("amd64", "image");

vmTest(
  "256 MB of memory and a root of 104 MiB: the packed form takes memory, the image form nothing",
  {
    architecture: "amd64",
    memoryMb: 256,
    disk: { sizeMb: 104 },
    modules: [...PRODUCT_MODULES, "loop", "squashfs"],
    files: { [TPROXY]: productFile("amd64"), "usr/bin/tproxy-image": IMAGE },
    fill: (root) => putPrograms(root, "amd64", ["nft", "nc"]),
    obstacle: missingFile(IMAGE),
  },
  async (vm) => {
    const fixed = await vm.try("packed", "TPROXY_CACHE_DIR=/var/cache/tproxy tproxy --version");
    assert.match(fixed.output, /no room: \d+ MiB are needed.*, \d+ MiB are free/);
    assert.notEqual(fixed.code, 0);
    // Left to itself it takes memory. Debian's kernel leaves 203 MiB, OpenWrt's more; /tmp has half of it.
    const packed = await vm.run(
      "packed, in memory",
      "mount -o remount,size=112m /tmp; tproxy --version && du -sm /tmp && rm -r /tmp/tproxy-0",
    );
    assert.match(packed, /Unpacking .* into \/tmp\//);
    print(`packed form, root of 104 MiB: ${packed.split("\n").join("; ")}`);

    await vm.run("image", "mv /usr/bin/tproxy-image /usr/bin/tproxy && tproxy --version");
    await vm.run("network", withHosts("router_between\nserve\nstate >/tmp/before"));
    await vm.run("install", "tproxy install");
    await startProxy(vm);
    await vm.run("nothing is forwarded", withHosts("guard on"));
    assert.equal(await browse(vm, "browse"), SEEN);
    assert.match(await exchange(vm, "datagrams"), /answer\nConnection received on fd01::2/);
    print(await memory(vm, "image form, 256 MB"));

    await vm.run("read-only root", "rm -rf /var/cache/tproxy; sync; mount -o remount,ro / && ! touch /x");
    await stopProxy(vm);
    await startProxy(vm);
    assert.equal(await browse(vm, "browse, read-only root"), SEEN);
    await stopProxy(vm);
    await vm.run("uninstall", "tproxy uninstall");
    await vm.run("state", withHosts("guard off\nstate >/tmp/after\ndiff /tmp/before /tmp/after"));
    // The mounts have gone with the last process.
    assert.equal(await vm.run("loop devices", "losetup -a"), "");
    assert.equal(await complaints(vm), "");
  },
);

vmTest("144 MB of memory: it relays; whatever the kernel kills, clients are served", {
  architecture: "amd64",
  memoryMb: 144,
  disk: { sizeMb: 256 },
  modules: PRODUCT_MODULES,
  files: { [TPROXY]: productFile("amd64") },
  fill: (root) => putPrograms(root, "amd64", ["nft", "nc"]),
}, async (vm) => {
  await vm.run("first start", "tproxy --version", { seconds: 120 });
  // Forward-path takes 3 MiB more.
  await vm.run(
    "config",
    "mkdir -p /etc/tproxy; echo 'intercept: { admission: early }' >/etc/tproxy/tproxy.yaml",
  );
  await vm.run("network", withHosts("router_between\nserve"));
  await vm.run("install", "tproxy install", { seconds: 120 });
  await startProxy(vm, { seconds: 120 });
  await vm.run("nothing is forwarded", withHosts("guard on"));
  assert.equal(await browse(vm, "browse"), SEEN);
  print(await memory(vm, "packed form, 144 MB"));
  // Where nothing is killed both crawl: the command is ended then.
  await vm.try("beside it", "timeout -s KILL 30 tproxy status >/dev/null", { seconds: 120 });
  const killed = await vm.run("killed", "dmesg | grep -c 'Out of memory: Killed process' || true");
  print(`144 MB, with a second command beside the proxy: the kernel has killed ${killed} processes`);
  // Clients are served in both cases: on-failure is open.
  await vm.run("forwarding again", withHosts("guard off\nsleep 3"));
  assert.equal(await browse(vm, "browse, whoever was killed"), SEEN);
  await vm.run("stop", "kill $(cat /tmp/pid) || true; sleep 3");
  await vm.run("uninstall", "tproxy uninstall");
});

/** Reads in a line the memory that the proxy holds and that is left. */
async function memory(vm: Vm, title: string): Promise<string> {
  const said = await vm.run(
    "memory",
    `grep -E "^(Rss|Anonymous):" /proc/$(cat /tmp/pid)/smaps_rollup
grep -E "^(MemTotal|MemAvailable|MemFree):" /proc/meminfo`,
  );
  const parts = [...said.matchAll(/^(\w+): +(\d+) kB/gm)].map(([, name, kib]) =>
    `${name} ${Math.round(Number(kib) / 1024)} MiB`
  );
  return `${title}: ${parts.join(", ")}`;
}
