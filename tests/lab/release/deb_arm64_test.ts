/** The `.deb` for arm64 on another machine: unpacked by dpkg, run by QEMU's user emulation. */
import assert from "node:assert/strict";
import { findEmulation } from "../../../scripts/lib/build/proof/emulation.ts";
import { TARGETS } from "../../../scripts/lib/build/target.ts";
import { print } from "../../laboratory/machine/print.ts";
import { runProgram } from "../../laboratory/program.ts";
import { debianFiles, readProgram, standInDeb } from "./stand_in.ts";

const emulation = findEmulation(TARGETS.find(({ arch }) => arch === "aarch64")!);
const program = readProgram("aarch64");
const obstacle = Deno.uid() !== 0
  ? "needs root"
  : Deno.build.arch === "aarch64"
  ? "this machine is arm64: the other tests of the .deb are about it"
  : program === undefined
  ? "dist/tproxy-aarch64 is not there (scripts/build --target aarch64 makes it)"
  : typeof emulation === "string"
  ? emulation
  : undefined;
if (obstacle !== undefined) print(`skipped: .deb for arm64: ${obstacle}`);

Deno.test({
  name: ".deb for arm64 unpacks into a program that runs on arm64",
  ignore: obstacle !== undefined,
  async fn() {
    const directory = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "tproxy-release-" });
    try {
      const files = await debianFiles(program!);
      const deb = await standInDeb(files, { version: "1.0.0", architecture: "aarch64" });
      Deno.writeFileSync(`${directory}/1.0.0.deb`, deb);
      await runProgram(["dpkg-deb", "--extract", `${directory}/1.0.0.deb`, `${directory}/root`]);
      const script = `
        mkdir -p $0/root/proc $0/root/dev $0/root/tmp
        mount --rbind /proc $0/root/proc; mount --rbind /dev $0/root/dev
        export PATH=/usr/sbin:/usr/bin:/bin TPROXY_CACHE_DIR=/tmp
        chroot $0/root /usr/bin/tproxy --version
        chroot $0/root /usr/bin/tproxy check`;
      const { stdout, stderr, code } = await runProgram([...emulation, "sh", "-ec", script, directory], {
        mayFail: true,
        timeoutMs: 180_000,
      });
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^tproxy \d/);
      assert.match(stdout, /valid/i);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});
