/**
 * The single file on Debian's kernels, beside BusyBox and nft: self-test, and the commands in the
 * order in which the README has them, with traffic from a client through the router to a server.
 * @module
 */
import assert from "node:assert/strict";
import { browse, complaints, exchange, startProxy, stopProxy, withHosts } from "./support/path.ts";
import { missingFile, PRODUCT_MODULES, productFile, TPROXY } from "./support/product.ts";
import { putPrograms } from "./support/programs.ts";
import { vmTest } from "./support/scenario.ts";
import type { Vm } from "./support/vm.ts";

const CLIENT_SEEN = "10.1.0.2\n192.0.2.2: whole\nfd01::2\n[2001:db8::2]: whole";
const DATAGRAMS_SEEN = [
  "question\nanswer\nConnection received on 10.1.0.2",
  "question\nanswer\nConnection received on fd01::2",
].join("\n");

/** An install on trial lasts as long as it was told to, wherever the clock is set to meanwhile. */
async function tryBesideClock(vm: Vm): Promise<void> {
  const output = await vm.run(
    "trial",
    withHosts(`
      echo "rules: [{ ports: [80], action: block }]" >/tmp/trial.yaml
      seconds() { cut -d. -f1 /proc/uptime; }
      left() { nft list set inet transparent_proxy trial 2>/dev/null | sed -n 's/.*ipv4 timeout [0-9]*s expires \\([0-9]*\\)s.*/\\1/p'; }
      turn() { date -s "@$(($(date +%s) + $1))" >/dev/null; echo "end: $(($(seconds) + $(left)))"; }
      tproxy install -c /tmp/trial.yaml --confirm 10s >/dev/null 2>&1 &
      until [ "$(left)" ]; do sleep 0.1; done
      turn 0
      turn 86400
      turn -172800
      ask 192.0.2.2 >/dev/null 2>&1 || echo "cut off"
      until ask 192.0.2.2 >/dev/null 2>&1; do sleep 0.2; done
      echo "end: $(seconds)"
      date -s "@$(($(date +%s) + 86400))" >/dev/null
      wait
      for i in $(seq 60); do # until its watcher has tidied up, and ended
        state >/tmp/after
        cmp -s /tmp/before /tmp/after && echo "as before" && break
        sleep 1
      done
    `),
  );
  assert.match(output, /^cut off$[^]*^as before$/m);
  const [end, ...later] = [...output.matchAll(/^end: (\d+)$/gm)].map(([, seconds]) => Number(seconds));
  assert.equal(later.length, 3, output);
  for (const other of later.slice(0, 2)) assert.ok(Math.abs(other - end) <= 1, output);
  // A question that comes too early has its answer at once; one that comes in time may take some.
  assert.ok(later[2] >= end - 1 && later[2] <= end + 12, output);
}

for (const architecture of ["amd64", "arm64"] as const) {
  const image = productFile(architecture, "image");
  vmTest(`Debian's kernel, ${architecture}: self-test, doctor, install, run, status, uninstall`, {
    architecture,
    // Its processors take packets, and ask, at the same time.
    processors: 2,
    modules: [...PRODUCT_MODULES, "bridge", "br_netfilter", "loop", "squashfs"],
    files: { [TPROXY]: productFile(architecture), "usr/bin/tproxy-image": image },
    fill: (root) => putPrograms(root, architecture, ["nft", "nc"]),
    obstacle: missingFile(image),
  }, async (vm) => {
    const version = await vm.run("version", "tproxy --version");
    assert.match(version, /^tproxy \d/m);
    await vm.run("network", withHosts("router_between\nserve\nstate >/tmp/before"));

    const selftest = await vm.run("selftest", "tproxy selftest", { seconds: 600 });
    assert.match(selftest, /^(\d+) passed, 0 failed, 0 skipped$/m);
    const doctor = await vm.run("doctor", "tproxy doctor");
    assert.match(doctor, /^ready: yes/m);

    // Without it: what must not change.
    assert.equal(await browse(vm, "browse without tproxy"), CLIENT_SEEN);
    assert.equal(await exchange(vm, "datagrams without tproxy"), DATAGRAMS_SEEN);

    const installed = await vm.run("install", "tproxy install");
    assert.match(installed, /^ {2}interfaces {2}lan0 \(not on: wan0\)$/m);
    // From here on nothing new leaves the router: what passes has passed the proxy.
    const cut = await vm.try("nothing is forwarded", withHosts("guard on\nask 192.0.2.2"));
    assert.notEqual(cut.code, 0, cut.output);
    await startProxy(vm);
    assert.equal(await browse(vm, "browse through the proxy"), CLIENT_SEEN);
    // By the file's own netcat, which says what Debian's has said.
    assert.equal(await exchange(vm, "datagrams through the proxy", "tproxy nc"), DATAGRAMS_SEEN);
    const status = await vm.run("status", "tproxy status");
    assert.match(status, /^installed: yes/m);
    assert.match(status, /^proxy: running/m);

    // Two connections with 1 MiB each, two without; what it counts has gone through it.
    assert.match(await stopProxy(vm), /accepted=4 connected=4 .* udp-sessions=2 udp-up=2 udp-down=2/);
    const gone = await vm.run("uninstall", "tproxy uninstall");
    assert.match(gone, /removed {2}table inet transparent_proxy/);
    const difference = await vm.try(
      "state",
      withHosts("guard off\nstate >/tmp/after\ndiff /tmp/before /tmp/after"),
    );
    assert.equal(difference.output, "", "the kernel's state is not what it was");
    if (architecture === "amd64") await tryBesideClock(vm);
    // The form that is mounted: it unpacks nothing, and nothing of it is left.
    const mounted = await vm.run(
      "image",
      "rm -r /var/cache/tproxy; tproxy-image --version; ls -a /var/cache; losetup -a",
    );
    assert.match(mounted, /^tproxy \d/m);
    assert.doesNotMatch(mounted, /^tproxy$/m);
    assert.doesNotMatch(mounted, /loop/);
    assert.equal(await complaints(vm), "");
  });
}
