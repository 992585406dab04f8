/**
 * The `.deb` for arm64 on another machine: unpacked by dpkg, run by QEMU's user emulation, which a binfmt_misc of a user
 * namespace calls for it alone (Linux 6.7).
 */
import assert from "node:assert/strict";
import { exists } from "../../../scripts/lib/build/bytes.ts";
import { print } from "../support/print.ts";
import { runProgram } from "../support/program.ts";
import { debianFiles, readProgram, standInDeb } from "./stand_in.ts";

const QEMU = "/usr/bin/qemu-aarch64-static";
/** The head of an ELF file for arm64, and which bits of it count. */
const MAGIC = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`;
const MASK = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;
const REGISTER = `
  mount -t binfmt_misc tproxy /proc/sys/fs/binfmt_misc
  printf '%s' ':tproxy-arm64:M::${MAGIC}:${MASK}:${QEMU}:F' >/proc/sys/fs/binfmt_misc/register`;

function runEmulated(script: string, directory: string) {
  const argv = ["unshare", "--user", "--map-root-user", "--mount", "--net", "--propagation", "private"];
  return runProgram([...argv, "sh", "-ec", `${REGISTER}\n${script}`, directory], {
    mayFail: true,
    timeoutMs: 180_000,
  });
}

const program = readProgram("aarch64");
const obstacle = Deno.uid() !== 0
  ? "needs root"
  : Deno.build.arch === "aarch64"
  ? "this machine is arm64: the other tests of the .deb are about it"
  : program === undefined
  ? "dist/tproxy-aarch64 is not there (scripts/build --target aarch64 makes it)"
  : !exists(QEMU)
  ? "needs qemu-user-static"
  : (await runEmulated("", "/")).code !== 0
  ? "the kernel has no binfmt_misc for a user namespace (Linux 6.7)"
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
      const { stdout, stderr, code } = await runEmulated(
        `
        mkdir -p $0/root/proc $0/root/dev $0/root/tmp
        mount --rbind /proc $0/root/proc; mount --rbind /dev $0/root/dev
        export PATH=/usr/sbin:/usr/bin:/bin TPROXY_CACHE_DIR=/tmp
        chroot $0/root /usr/bin/tproxy --version
        chroot $0/root /usr/bin/tproxy check`,
        directory,
      );
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^tproxy \d/);
      assert.match(stdout, /valid/i);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});
