/** install.sh under BusyBox' ash, with BusyBox' programs alone, from a web server on loopback. */
import assert from "node:assert/strict";
import { exists } from "../../../scripts/lib/build/disk.ts";
import { formatInstaller } from "../../../scripts/lib/release/installer/installer.ts";
import { formatSums } from "../../../scripts/lib/release/sums.ts";
import { print } from "../../laboratory/machine/print.ts";
import { type Outcome, Program, runProgram } from "../../laboratory/program.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { Mirror } from "./mirror.ts";

const TEMPLATE = new URL("../../../scripts/lib/release/installer/install.sh", import.meta.url);
/** Stands for the program: whoever runs it is written down. */
const PRODUCT =
  `#!/bin/busybox sh\necho "$0 $*" >>"\${0%/*}/ran"\nexit "$(/bin/busybox cat "\${0%/*}/code" 2>/dev/null || echo 0)"\n`;
const NAME = "tproxy-1.0.0-linux-x86_64";
/** A uname of a PC. */
const X86_64 = "case $1 in -m) echo x86_64 ;; *) echo Linux ;; esac";
const APPLETS = "sh rmdir wget sha256sum df sed uname id mv rm chmod cat hexdump sleep";

class InstallerRoot implements AsyncDisposable {
  readonly mirror = new Mirror();
  readonly directory = Deno.makeTempDirSync({ prefix: "tproxy-installer-" });
  readonly target = `${this.directory}/target`;
  readonly programs = `${this.directory}/programs`;
  readonly script = `${this.directory}/install.sh`;

  constructor() {
    Deno.mkdirSync(this.target);
    Deno.mkdirSync(this.programs);
    for (const name of APPLETS.split(" ")) Deno.symlinkSync("/bin/busybox", `${this.programs}/${name}`);
    this.mirror.files.set(NAME, new TextEncoder().encode(PRODUCT));
    this.mirror.files.set("SHA256SUMS", new TextEncoder().encode(formatSums(this.mirror.files)));
    this.write(this.mirror.url);
  }

  /** Writes the script of a release, with another URL or bigger files. */
  write(url?: string, size = 1000): void {
    const text = formatInstaller(Deno.readTextFileSync(TEMPLATE), {
      version: "1.0.0",
      url,
      sizes: { x86_64: size, aarch64: size },
    });
    Deno.writeTextFileSync(this.script, text);
    this.replace("uname", X86_64);
  }

  /** Puts a function into the place of a program: Debian's BusyBox prefers its own to those of PATH. */
  replace(name: string, text: string): void {
    const script = Deno.readTextFileSync(this.script).replace(/main "\$@"\n$/, "");
    Deno.writeTextFileSync(this.script, `${script}${name}() { ${text}; }\nmain "$@"\n`);
  }

  /** Clears the environment; what the program has unpacked is not this machine's. */
  get environment(): string[] {
    return ["env", "-i", `PATH=${this.programs}`, `TPROXY_CACHE_DIR=${this.directory}/cache`];
  }

  /** The words of a run, with this PATH and nothing else in the environment. */
  argv(...args: string[]): string[] {
    return [
      ...this.environment,
      "/bin/busybox",
      "ash",
      this.script,
      "--to",
      this.target,
      ...args,
    ];
  }

  run(...args: string[]): Promise<Outcome> {
    return runProgram(this.argv(...args), { mayFail: true });
  }

  /** Runs it where the mounts are its own; `mount` is a command with `$target`. */
  runWithMount(mount: string): Promise<Outcome> {
    const script = `${mount}; exec ${this.argv().join(" ")}`;
    const argv = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script];
    return runProgram(argv, { mayFail: true, env: { target: this.target } });
  }

  listTarget(): string[] {
    return [...Deno.readDirSync(this.target)].map(({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mirror[Symbol.asyncDispose]();
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function installerTest(name: string, test: (root: InstallerRoot) => Promise<void>): void {
  const obstacle = !exists("/bin/busybox") ? "needs busybox-static" : undefined;
  if (obstacle !== undefined) print(`skipped: install.sh ${name}: ${obstacle}`);
  Deno.test({
    name: `install.sh ${name}`,
    ignore: obstacle !== undefined,
    async fn() {
      await using root = new InstallerRoot();
      await test(root);
    },
  });
}

function refuses(root: InstallerRoot, outcome: Outcome, text: RegExp): void {
  assert.equal(outcome.code, 1, outcome.stdout + outcome.stderr);
  assert.match(outcome.stderr, text);
  assert.deepEqual(root.listTarget(), []);
}

installerTest("brings the file, checks it, and runs nothing", async (root) => {
  const { code, stdout, stderr } = await root.run();
  assert.equal(code, 0, stderr);
  assert.deepEqual(root.listTarget(), ["tproxy"]);
  assert.equal(Deno.readTextFileSync(`${root.target}/tproxy`), PRODUCT);
  assert.equal(Deno.statSync(`${root.target}/tproxy`).mode! & 0o777, 0o755);
  assert.deepEqual(root.mirror.asked, ["SHA256SUMS", NAME]);
  for (const command of ["selftest", "doctor", "install"]) {
    assert.match(stdout, new RegExp(`tproxy ${command} `));
  }
});

installerTest("is read from a pipe, and takes the place from TPROXY_URL", async (root) => {
  root.write();
  const { code, stderr } = await runProgram([
    ...root.environment,
    `TPROXY_URL=${root.mirror.url}`,
    "/bin/busybox",
    "ash",
    "-s",
    "--",
    "--to",
    root.target,
  ], { mayFail: true, input: Deno.readTextFileSync(root.script) });
  assert.equal(code, 0, stderr);
  assert.deepEqual(root.listTarget(), ["tproxy"]);
});

installerTest("does nothing when it arrives cut off", async (root) => {
  const text = Deno.readTextFileSync(root.script);
  for (let i = 1; i < 40; i++) {
    Deno.writeTextFileSync(root.script, text.slice(0, (text.length - 10) * i / 40));
    await root.run();
  }
  assert.deepEqual(root.mirror.asked, []);
  assert.deepEqual(root.listTarget(), []);
});

installerTest("says so where it does not know the place", async (root) => {
  root.write();
  refuses(root, await root.run(), /set TPROXY_URL/);
});

installerTest("refuses a file that is not the one of SHA256SUMS", async (root) => {
  root.mirror.files.set(NAME, new TextEncoder().encode(`${PRODUCT}#`));
  refuses(root, await root.run(), /arrived damaged or was changed.*Nothing is installed/);
});

installerTest("refuses without SHA256SUMS, and with another version's", async (root) => {
  root.mirror.files.delete("SHA256SUMS");
  refuses(root, await root.run(), /cannot bring .*SHA256SUMS/);
  assert.deepEqual(root.mirror.asked, ["SHA256SUMS"]);
  root.mirror.files.set("SHA256SUMS", new TextEncoder().encode(`${"0".repeat(64)}  ${NAME}-image\n`));
  refuses(root, await root.run(), /does not list tproxy-1\.0\.0-linux-x86_64; /);
});

installerTest("refuses a processor that there is no file for", async (root) => {
  root.replace("uname", "case $1 in -m) echo mips ;; *) echo Linux ;; esac");
  refuses(root, await root.run(), /not made for mips; it is for x86_64 and aarch64/);
  root.replace("uname", "case $1 in -m) echo amd64 ;; *) echo FreeBSD ;; esac");
  refuses(root, await root.run(), /is for Linux/);
  root.replace("uname", "case $1 in -m) echo aarch64 ;; *) echo Linux ;; esac");
  refuses(root, await root.run(), /does not list tproxy-1\.0\.0-linux-aarch64/);
});

installerTest("refuses pages of 16 KiB, with the remedy", async (root) => {
  root.replace("getconf", '[ "$1" = PAGESIZE ] && echo 16384');
  refuses(root, await root.run(), /pages of 16384 bytes.*kernel=kernel8\.img/);
  // The kernel's own word, without getconf.
  root.write(root.mirror.url);
  root.replace("getconf", "return 1");
  root.replace("hexdump", 'printf "33 0 1 2\\n6 0 16384 0\\n17 0 100 0\\n"');
  refuses(root, await root.run(), /pages of 16384 bytes/);
});

installerTest("refuses a place without room, or that cannot be written", async (root) => {
  if (Deno.uid() !== 0) return print("skipped: install.sh without room: needs root (mounts)");
  root.write(root.mirror.url, 100_000);
  const full = await root.runWithMount('mount -t tmpfs -o size=64k tproxy "$target"');
  refuses(root, full, /has room for 64 KiB, and tproxy needs 98\./);
  const fixed = await root.runWithMount('mount -t tmpfs -o ro tproxy "$target"');
  refuses(root, fixed, /cannot write to .*read-only/);
  assert.deepEqual(root.mirror.asked, []);
});

installerTest("leaves the older program and nothing else when it is interrupted", async (root) => {
  root.mirror.files.set(NAME, new TextEncoder().encode("x".repeat(1e6)));
  root.mirror.stalled.add(NAME);
  for (const signal of ["INT", "TERM", "HUP"]) {
    Deno.writeTextFileSync(`${root.target}/tproxy`, "older");
    root.mirror.asked.length = 0;
    const program = new Program(["setsid", ...root.argv()]);
    await until(() => root.mirror.asked.includes(NAME), { what: "the file to be asked for" });
    await until(() => root.listTarget().some((name) => name.startsWith(".tproxy.new")), {
      what: "the file",
    });
    // A terminal's key, or its end, reaches all processes of the group.
    await runProgram(["kill", `-${signal}`, "--", `-${program.pid}`]);
    assert.notEqual(await program.waitForExit({ timeoutMs: 5_000 }), 0);
    await program.closeInput();
    assert.deepEqual(root.listTarget(), ["tproxy"], signal);
    assert.equal(Deno.readTextFileSync(`${root.target}/tproxy`), "older");
  }
});

installerTest(
  "--uninstall has the program take its rules away first, and stays where that fails",
  async (root) => {
    if (Deno.uid() !== 0) return print("skipped: install.sh --uninstall: needs root");
    await root.run();
    Deno.writeTextFileSync(`${root.target}/code`, "1");
    const failed = await root.run("--uninstall");
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /rules are still in the kernel/);
    assert.deepEqual(root.listTarget(), ["code", "ran", "tproxy"]);
    Deno.removeSync(`${root.target}/code`);
    const cache = `${root.directory}/cache`;
    for (const name of ["runtime-2.9.6-0a", "program-1.0.0-0b", ".unpack-1", "other"]) {
      Deno.mkdirSync(`${cache}/${name}`, { recursive: true });
    }
    const done = await root.run("--uninstall");
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /Removed .*target\/tproxy/);
    assert.deepEqual(root.listTarget(), ["ran"]);
    assert.deepEqual([...Deno.readDirSync(cache)].map(({ name }) => name), ["other"]);
    assert.equal(
      Deno.readTextFileSync(`${root.target}/ran`),
      `${root.target}/tproxy uninstall\n`.repeat(2),
    );
    const none = await root.run("--uninstall");
    assert.match(none.stderr, /there is no .*target\/tproxy/);
  },
);

installerTest("uses curl where it is", async (root) => {
  if (!exists("/usr/bin/curl")) return print("skipped: install.sh with curl: needs curl");
  Deno.symlinkSync("/usr/bin/curl", `${root.programs}/curl`);
  root.replace("wget", "return 1");
  assert.equal((await root.run()).code, 0);
  root.mirror.files.delete(NAME);
  Deno.removeSync(`${root.target}/tproxy`);
  refuses(root, await root.run(), /cannot bring .*linux-x86_64/);
});
