/** The `.deb` on a Debian: what it brings, what it leaves alone, what goes with it. */
import assert from "node:assert/strict";
import { exists } from "../../../scripts/lib/build/disk.ts";
import type { PackageFile } from "../../../scripts/lib/release/content/file.ts";
import { print } from "../../laboratory/machine/print.ts";
import { runProgram } from "../../laboratory/program.ts";
import { DebianRoot, sections } from "./debian_root.ts";
import { NETWORK } from "./network.ts";
import { debianFiles, readProgram, standInDeb } from "./stand_in.ts";

/** Made once, for all tests. */
let made: ReturnType<typeof makePackages> | undefined;

async function makePackages(program: readonly PackageFile[]) {
  const files = await debianFiles(program);
  const packages = new Map<string, Uint8Array>();
  for (const version of ["1.0.0", "1.0.1"]) {
    packages.set(`${version}.deb`, await standInDeb(files, { version, architecture: Deno.build.arch }));
  }
  return { files, packages };
}

function debTest(name: string, test: (root: DebianRoot, paths: string[]) => Promise<void>): void {
  const program = readProgram(Deno.build.arch);
  const obstacle = Deno.uid() !== 0
    ? "needs root (overlay, chroot)"
    : program === undefined
    ? "dist/tproxy is not there (scripts/build makes it)"
    : exists("/usr/bin/tproxy")
    ? "this machine has a tproxy already"
    : undefined;
  if (obstacle !== undefined) print(`skipped: .deb ${name}: ${obstacle}`);
  Deno.test({
    name: `.deb ${name}`,
    ignore: obstacle !== undefined,
    async fn() {
      await using root = new DebianRoot();
      const { files, packages } = await (made ??= makePackages(program!));
      for (const [name, bytes] of packages) root.add(name, bytes);
      await test(root, files.map(({ path }) => `/${path}`));
    },
  });
}

/** A systemd that runs and writes down what it is asked. */
const FAKE_SYSTEMD = `mkdir /run/systemd /run/systemd/system
  printf '#!/bin/sh\\necho "systemctl $*" >>/run/asked\\n' >/run/systemctl
  chmod 755 /run/systemctl; mount --bind /run/systemctl /usr/bin/systemctl`;

debTest("brings its files, runs, and starts and programs nothing", async (root, paths) => {
  const { stdout } = await root.run(`
    ${NETWORK}
    network >/tmp/before
    dpkg -i /packages/1.0.0.deb 2>/tmp/said
    echo "== said"; cat /tmp/said
    changed >/tmp/changed
    echo "== changed"; cat /tmp/changed
    echo "== differences"; network | diff /tmp/before - || true
    echo "== processes"; processes
    echo "== verify"; dpkg --verify tproxy
    echo "== version"; tproxy --version
    echo "== check"; tproxy check
    echo "== written"; changed | diff /tmp/changed - || true
    echo "== unit"; ! command -v systemd-analyze >/dev/null || systemd-analyze verify tproxy.service 2>&1 || true
    echo "== man"; gzip -dc /usr/share/man/man8/tproxy.8.gz | head -n 1
    echo "== end"`);
  const found = sections(stdout);
  assert.deepEqual(linesOf(found.get("changed")), paths.map(resolveLib).sort());
  assert.equal(found.get("differences"), "");
  assert.equal(found.get("processes"), "");
  assert.equal(found.get("verify"), "");
  assert.match(found.get("version")!, /^tproxy \d/);
  assert.match(found.get("check")!, /valid/i);
  // A package's program unpacks nothing, and keeps no code that it has compiled.
  if (paths.includes("/usr/lib/tproxy/runtime/deno")) assert.equal(found.get("written"), "");
  assert.equal(found.get("unit"), "");
  assert.match(found.get("man")!, /^\.TH TPROXY 8/);
  assert.equal(found.get("said"), "");
});

debTest("leaves the config, the rules and the service alone when it is upgraded", async (root) => {
  const { stdout } = await root.run(`
    ${NETWORK}
    dpkg -i /packages/1.0.0.deb
    mkdir /etc/tproxy; echo 'version: 1' >/etc/tproxy/tproxy.yaml
    tproxy install >/dev/null; network >/tmp/before
    ${FAKE_SYSTEMD}
    echo "== upgrade"; dpkg -i /packages/1.0.1.deb
    echo "== differences"; network | diff /tmp/before - || true
    echo "== config"; cat /etc/tproxy/tproxy.yaml
    echo "== asked"; cat /run/asked
    echo "== version"; dpkg-query -W -f '\${Version}' tproxy`);
  const found = sections(stdout);
  assert.match(found.get("upgrade")!, /the running proxy is still version 1\.0\.0.*systemctl restart tproxy/);
  assert.equal(found.get("differences"), "");
  assert.equal(found.get("config"), "version: 1");
  assert.deepEqual(linesOf(found.get("asked")), [
    "systemctl --system daemon-reload",
    "systemctl --quiet is-active tproxy.service",
  ]);
  assert.equal(found.get("version"), "1.0.1");
});

debTest("takes the rules with it when it is removed, and the config when it is purged", async (root) => {
  const { stdout } = await root.run(`
    ${NETWORK}
    network >/tmp/before
    dpkg -i /packages/1.0.0.deb
    mkdir /etc/tproxy; echo 'version: 1' >/etc/tproxy/tproxy.yaml
    tproxy install >/dev/null
    mkdir -p /etc/systemd/system/multi-user.target.wants
    ln -s /lib/systemd/system/tproxy.service /etc/systemd/system/multi-user.target.wants/
    echo "== installed"; network | grep -c transparent_proxy
    ${FAKE_SYSTEMD}
    echo "== remove"; dpkg -r tproxy
    echo "== asked"; cat /run/asked
    echo "== differences"; network | diff /tmp/before - || true
    echo "== kept"; ls /etc/tproxy
    echo "== purge"; dpkg -P tproxy
    echo "== left"; changed
    echo "== folders"; find /upper -name '*tproxy*' ! -type c ! -path '/upper/var/lib/dpkg/*'
    echo "== end"`);
  const found = sections(stdout);
  assert.notEqual(found.get("installed"), "0");
  assert.match(found.get("remove")!, /removed +table inet transparent_proxy/);
  // In between, uninstall asks again.
  const asked = linesOf(found.get("asked"));
  assert.deepEqual(asked.slice(0, 2), [
    "systemctl --quiet disable tproxy.service",
    "systemctl --quiet stop tproxy.service",
  ]);
  assert.equal(asked.at(-1), "systemctl --system daemon-reload");
  assert.deepEqual(asked.filter((line) => /\b(re)?start\b|\benable\b/.test(line)), []);
  assert.equal(found.get("differences"), "");
  assert.equal(found.get("kept"), "tproxy.yaml");
  assert.equal(found.get("left"), "");
  assert.equal(found.get("folders"), "");
});

debTest("leaves the rules of the machine alone when it is removed from a chroot", async (root) => {
  const { stdout } = await root.run(
    `
    ${NETWORK}
    dpkg -i /packages/1.0.0.deb
    tproxy install >/dev/null; network >/tmp/before
    dpkg -P tproxy
    echo "== differences"; network | diff /tmp/before - || true
    echo "== end"`,
    { inChroot: true },
  );
  assert.equal(sections(stdout).get("differences"), "");
});

debTest("can be removed where the rules cannot, and says so", async (root) => {
  const { stdout, stderr } = await root.run(`
    dpkg -i /packages/1.0.0.deb
    printf '#!/bin/sh\\necho "tproxy: no"; exit 1\\n' >/usr/bin/tproxy
    dpkg -P tproxy
    echo "== left"; changed`);
  assert.match(stderr, /tproxy: no\ntproxy: warning: rules may still be in the kernel/);
  assert.equal(sections(stdout).get("left"), "");
});

debTest("has nothing that lintian objects to, but for what its overrides explain", async (root) => {
  if (!exists("/usr/bin/lintian")) return print("skipped: .deb before lintian: needs lintian");
  const flags = ["--allow-root", "--display-info", "--fail-on", "error,warning,info"];
  // The test's package is not compressed.
  const suppress = ["--suppress-tags", "uses-no-compression-for-data-tarball"];
  const path = `${root.directory}/packages/1.0.0.deb`;
  const { code, stdout } = await runProgram(["lintian", ...flags, ...suppress, path], {
    mayFail: true,
    timeoutMs: 120_000,
    env: { TMPDIR: root.directory }, // it leaves a database there
  });
  assert.equal(stdout, "");
  assert.equal(code, 0);
});

function linesOf(text: string | undefined): string[] {
  return (text ?? "").split("\n").filter((line) => line !== "");
}

/** Follows Debian's links of /lib. */
function resolveLib(path: string): string {
  return path.startsWith("/lib/") ? `${Deno.realPathSync("/lib")}${path.slice(4)}` : path;
}
