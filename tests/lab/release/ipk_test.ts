/**
 * The `.ipk`, unpacked by BusyBox as opkg unpacks it, and its scripts under BusyBox' ash in a root without
 * anything else.
 */
import { runApart } from "./apart.ts";
import assert from "node:assert/strict";
import { exists } from "../../../scripts/lib/build/disk.ts";
import { bootFiles } from "../../../scripts/lib/release/content/boot.ts";
import { joinFiles } from "../../../scripts/lib/release/content/file.ts";
import { makeIpks } from "../../../scripts/lib/release/ipk/ipk.ts";
import { print } from "../../laboratory/machine/print.ts";
import type { Outcome } from "../../laboratory/program.ts";
import { sections } from "./debian_root.ts";
import { NETWORK } from "./network.ts";
import { readProgram, TIME } from "./stand_in.ts";

/**
 * Sets up what a package meets on OpenWrt: BusyBox, a firewall and an rc.common that write down what they are
 * asked.
 */
const SETUP = `
  mkdir -p root/bin root/proc root/sys root/dev root/etc root/sbin root/tmp
  cp /bin/busybox root/bin/; for name in sh cat grep echo rm; do ln -s busybox root/bin/$name; done
  printf '#!/bin/sh\\necho "$1" "\${0##*/}" "$2" >>/tmp/asked\\n' >root/etc/rc.common
  printf '#!/bin/sh\\necho fw4 "$@" >>/tmp/asked\\n' >root/sbin/fw4
  printf '#!/bin/sh\\necho "meta mark and 0x1 == 0x1 accept comment \\\\"tproxy\\\\""\\n' >root/sbin/nft
  chmod 755 root/etc/rc.common root/sbin/*
  mount -t proc proc root/proc; mount --rbind /sys root/sys; mount --rbind /dev root/dev
  busybox tar -xzf package.ipk
  mkdir control; busybox tar -xzf control.tar.gz -C control
  busybox tar -xzf data.tar.gz -C root
  mkdir root/info; cp control/prerm control/postrm root/info/
  in_root() { PATH=/usr/sbin:/usr/bin:/sbin:/bin TPROXY_CACHE_DIR=/tmp/cache chroot root "$@"; }
  ${NETWORK}
`;

class IpkRoot implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "tproxy-release-" });

  constructor(bytes: Uint8Array) {
    Deno.writeFileSync(`${this.directory}/package.ipk`, bytes);
  }

  run(script: string): Promise<Outcome> {
    const text = `cd "${this.directory}"\n${SETUP}\n${script}`;
    return runApart(text, { env: { LC_ALL: "C" }, timeoutMs: 120_000 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.directory, { recursive: true });
  }
}

function ipkTest(name: string, test: (root: IpkRoot, paths: string[]) => Promise<void>): void {
  const program = readProgram(Deno.build.arch);
  const obstacle = Deno.uid() !== 0
    ? "needs root (chroot)"
    : !exists("/bin/busybox")
    ? "needs busybox-static"
    : program === undefined
    ? "dist/tproxy is not there (scripts/build makes it)"
    : undefined;
  if (obstacle !== undefined) print(`skipped: .ipk ${name}: ${obstacle}`);
  Deno.test({
    name: `.ipk ${name}`,
    ignore: obstacle !== undefined,
    async fn() {
      const files = joinFiles(program!, bootFiles("openwrt"));
      const ipks = await makeIpks(["x86_64"], { version: "1.0.0", files, mtime: TIME, level: 1 });
      await using root = new IpkRoot(ipks.get("x86_64")!);
      await test(root, files.map(({ path }) => `./${path}`));
    },
  });
}

ipkTest(
  "has opkg's parts, and unpacks into a program that runs in a root without a C library",
  async (root, paths) => {
    const { stdout } = await root.run(`
    echo "== parts"; busybox tar -tzf package.ipk
    echo "== version"; cat debian-binary
    echo "== control"; cat control/control
    echo "== scripts"; ls control
    echo "== files"; busybox tar -tzf data.tar.gz | grep -v '/$'
    echo "== program"; in_root /usr/bin/tproxy --version 2>/dev/null
    echo "== asked"; cat root/tmp/asked 2>/dev/null || true
    echo "== end"`);
    const found = sections(stdout);
    assert.deepEqual(found.get("parts")!.split("\n").sort(), [
      "./",
      "./control.tar.gz",
      "./data.tar.gz",
      "./debian-binary",
    ]);
    assert.equal(found.get("version"), "2.0");
    assert.match(found.get("control")!, /^Package: tproxy\nVersion: 1\.0\.0\n/);
    // Without a postinst there is nothing that could enable or start.
    assert.deepEqual(found.get("scripts")!.split("\n"), ["control", "postrm", "prerm"]);
    assert.deepEqual(found.get("files")!.split("\n").sort(), [...paths].sort());
    assert.match(found.get("program")!, /^tproxy \d/);
    assert.equal(found.get("asked"), "");
  },
);

ipkTest(
  "takes the rules with it when it is removed, not when it is upgraded or belongs to an image",
  async (root) => {
    const { stdout } = await root.run(`
    in_root /usr/bin/tproxy install >/dev/null 2>&1
    nft list ruleset >before
    remove() { in_root "$@"; }
    IPKG_INSTROOT=/image in_root /info/prerm remove
    IPKG_INSTROOT=/image in_root /info/postrm remove
    PKG_UPGRADE=1 in_root /info/prerm "upgrade 1.0.1"
    in_root /info/prerm upgrade 1.0.1
    PKG_UPGRADE=1 in_root /info/postrm upgrade
    echo "== asked of no removal"; cat root/tmp/asked 2>/dev/null || true
    echo "== differences"; nft list ruleset | diff before - || true
    echo "== remove"; PKG_UPGRADE=0 in_root /info/prerm remove
    PKG_UPGRADE=0 in_root /info/postrm remove
    echo "== asked"; cat root/tmp/asked
    echo "== left"; nft list ruleset; ip rule | grep 'lookup 100' || true
    echo "== end"`);
    const found = sections(stdout);
    assert.equal(found.get("asked of no removal"), "");
    assert.equal(found.get("differences"), "");
    assert.match(found.get("remove")!, /removed +table inet transparent_proxy/);
    assert.deepEqual(found.get("asked")!.split("\n"), [
      "/etc/init.d/tproxy rc.common disable",
      "/etc/init.d/tproxy rc.common stop",
      "fw4 -q reload",
    ]);
    assert.equal(found.get("left"), "");
  },
);
