/**
 * dist/tproxy as a file: it unpacks itself into a cache directory and becomes the program. What is about the program
 * itself uses the real one; what is about starting it (signals, arguments, descriptors) has a small program put into a
 * copy of the same file. Mounts are made in private mount namespaces.
 */
import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import { layerOf, readPortable, writeVariant, writeWithProgram } from "./support/portable.ts";
import { print } from "./support/print.ts";
import { type Outcome, Program, runProgram } from "./support/program.ts";
import { until } from "./support/wait.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;
const PRODUCT = `${PROJECT}dist/tproxy`;
const NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];

const PROGRAM = `
const [command, ...rest] = Deno.args;
if (command === "--version") console.log("tproxy 0.0.0-test");
if (command === "tell") {
  const status = Deno.readTextFileSync("/proc/self/status");
  console.log(JSON.stringify({
    args: rest, pid: Deno.pid, name: /^Name:\\t(.*)/m.exec(status)[1], uid: Deno.uid(),
    environment: Deno.env.toObject(), net: Deno.readLinkSync("/proc/self/ns/net"),
  }));
}
if (command === "exit") Deno.exit(Number(rest[0]));
if (command === "cat") for await (const chunk of Deno.stdin.readable) await Deno.stdout.write(chunk);
if (command === "selftest") {
  console.log(Deno.env.get("TPROXY_USER_NAMESPACE"), Deno.uid(), Deno.readTextFileSync("/proc/self/status").match(/CapEff:\\t(\\w+)/)[1]);
}
if (command === "wait") {
  Deno.addSignalListener("SIGTERM", () => Deno.exit(7));
  console.log("ready", Deno.pid);
  setInterval(() => {}, 1000);
}
`;

/** A directory that ordinary users may enter, with copies of the file in it. */
class Bench implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ dir: findSpace(), prefix: "tproxy-portable-" });
  readonly cache = `${this.directory}/cache`;
  /** The product. */
  readonly file = `${this.directory}/tproxy`;
  /** The product with PROGRAM in the place of its program. */
  readonly stand = `${this.directory}/stand`;

  static async open(): Promise<Bench> {
    const bench = new Bench();
    Deno.chmodSync(bench.directory, 0o755);
    Deno.copyFileSync(PRODUCT, bench.file);
    await writeWithProgram(bench.stand, readPortable(bench.file), { name: "0", text: PROGRAM });
    return bench;
  }

  /** Runs with a clean environment: the cache directory, and what is given. */
  run(argv: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
    return runProgram(clean(argv, { TPROXY_CACHE_DIR: this.cache, ...env }), { mayFail: true });
  }

  /** Runs a script as root where mounts are private; `$dir` is the directory, `$file` and `$stand` the files. */
  runWithMounts(script: string, env: Record<string, string> = {}): Promise<Outcome> {
    const variables = { dir: this.directory, file: this.file, stand: this.stand, ...env };
    const argv = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script];
    return runProgram(clean(argv, variables), { mayFail: true, timeoutMs: 60_000 });
  }

  /** Names in the cache directory, sorted, without the lock. */
  cached(): string[] {
    return [...Deno.readDirSync(this.cache)].map((entry) => entry.name).filter((name) => name !== ".lock")
      .sort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.directory, { recursive: true });
  }
}

/** These tests write gigabytes: memory spares the disk, and those who wait for it. */
function findSpace(): string {
  const mounts = Deno.readTextFileSync("/proc/mounts").split("\n").map((line) => line.split(" "));
  const [, , type = "", flags = ""] = mounts.findLast(([, place]) => place === "/dev/shm") ?? [];
  const available = Number(/^MemAvailable:\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/meminfo"))?.[1] ?? 0);
  const usable = type === "tmpfs" && flags.startsWith("rw") && !flags.split(",").includes("noexec");
  return usable && available > 3_000_000 && freeBytes("/dev/shm") > 1e9 ? "/dev/shm" : "/var/tmp";
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

function clean(argv: readonly string[], env: Record<string, string>): string[] {
  const path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  return ["env", "-i", path, ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...argv];
}

function portableTest(name: string, test: (bench: Bench) => Promise<void>): void {
  const obstacle = findObstacle();
  if (obstacle !== undefined) print(`skipped: ${name}: ${obstacle}`);
  Deno.test({
    name: `dist/tproxy ${name}`,
    ignore: obstacle !== undefined,
    async fn() {
      await using bench = await Bench.open();
      await test(bench);
    },
  });
}

function findObstacle(): string | undefined {
  if (Deno.uid() !== 0) return "needs root (chroot, mounts)";
  try {
    Deno.statSync(PRODUCT);
  } catch {
    return "dist/tproxy is not there (scripts/build makes it)";
  }
}

function works(outcome: Outcome): void {
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(outcome.stdout, /^tproxy \d/);
}

function fails(outcome: Outcome, text: RegExp): void {
  assert.equal(outcome.code, 1, outcome.stdout + outcome.stderr);
  assert.equal(outcome.stdout, "");
  assert.match(outcome.stderr, /^tproxy: /m);
  assert.match(outcome.stderr, text);
}

/** Everything a router need not have is missing: this file, /proc, /sys and /dev are all there is. */
const CHROOT = `
  mkdir $dir/root $dir/root/proc $dir/root/sys $dir/root/dev
  cp $file $dir/root/tproxy
  mount -t proc proc $dir/root/proc
  mount --rbind /sys $dir/root/sys
  mount --rbind /dev $dir/root/dev
  exec env -i $(command -v chroot) $dir/root /tproxy `;

portableTest("runs in a chroot that holds nothing else", async (bench) => {
  works(await bench.runWithMounts(CHROOT + "--version"));
  assert.deepEqual(
    [...Deno.readDirSync(`${bench.directory}/root`)].map((entry) => entry.name).sort(),
    ["dev", "proc", "sys", "tproxy", "var"],
  );
});

portableTest("checks the built-in config in a chroot", async (bench) => {
  const outcome = await bench.runWithMounts(CHROOT + "check");
  assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr);
});

portableTest("prints its plan in a chroot", async (bench) => {
  const script =
    "ip link add lan0 type veth peer name lan1; ip link set lan0 up; ip addr add 192.0.2.1/24 dev lan0;";
  const outcome = await bench.runWithMounts(
    `exec unshare --net sh -ec '${script} ${CHROOT} install --dry-run'`,
  );
  assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr);
  assert.match(outcome.stdout, /table inet transparent_proxy/);
  assert.match(outcome.stdout, /lan0/);
});

portableTest("says how much room it needs where, and leaves nothing", async (bench) => {
  const outcome = await bench.runWithMounts(`
    mkdir $dir/small; mount -t tmpfs -o size=20m none $dir/small
    TPROXY_CACHE_DIR=$dir/small/cache $file --version || code=$?
    find $dir/small/cache -mindepth 1 ! -name .lock >&2
    exit $code`);
  fails(
    outcome,
    /small\/cache: no room: \d+ MiB are needed, (19|20) MiB are free\nSet TPROXY_CACHE_DIR to .* \d+ MiB free/,
  );
  assert.match(outcome.stderr, /noexec\.\n$/, "nothing is listed after the message");
});

portableTest("cleans up when the room ends while it writes", async (bench) => {
  const outcome = await bench.runWithMounts(`
    mkdir $dir/small; mount -t tmpfs -o size=500m,nr_inodes=6 none $dir/small
    TPROXY_CACHE_DIR=$dir/small/cache $file --version || code=$?
    find $dir/small/cache -mindepth 1 ! -name .lock >&2
    exit $code`);
  fails(outcome, /small\/cache: no room: a quota or the inodes are used up/);
  assert.match(outcome.stderr, /noexec\.\n$/, "nothing is listed after the message");
});

portableTest("makes room by removing an unused version", async (bench) => {
  const old = `${bench.directory}/old`;
  const portable = readPortable(bench.file);
  const lines = portable.lines.map((line) => line.replace(/^(layer \w+ \S+) /, "$1-old "));
  writeVariant(old, portable, { lines });
  const outcome = await bench.runWithMounts(
    `
    mkdir $dir/small; mount -t tmpfs -o size=150m none $dir/small
    export TPROXY_CACHE_DIR=$dir/small/cache
    $old --version; $file --version; ls $TPROXY_CACHE_DIR`,
    { old },
  );
  assert.equal(outcome.code, 0, outcome.stderr);
  const names = ["program", "runtime"].map((name) => layerOf(portable, name).id);
  assert.deepEqual(outcome.stdout.trim().split("\n").slice(2).sort(), names);
});

portableTest("refuses a chosen directory that it cannot use, and says why", async (bench) => {
  const use = "TPROXY_CACHE_DIR=$dir/there $file --version";
  for (const option of ["noexec", "ro"]) {
    const outcome = await bench.runWithMounts(
      `mkdir -p $dir/there; mount -t tmpfs -o mode=700,${option} none $dir/there; ${use}`,
    );
    fails(outcome, option === "ro" ? /there: .*Read-only file system/ : /there: is mounted noexec/);
  }
  fails(await bench.run([...NOBODY, bench.file, "--version"]), /cache: cannot be made: Permission denied/);
  fails(
    await bench.run([...NOBODY, bench.file, "--version"], { TPROXY_CACHE_DIR: "/root/x" }),
    /Permission denied/,
  );
  fails(await bench.runWithMounts(`chmod 777 $dir/there; ${use}`), /open to other users \(mode 0777/);
  fails(
    await bench.runWithMounts(`chmod 755 $dir/there; chown nobody $dir/there; ${use}`),
    /belongs to the user 65534/,
  );
  fails(
    await bench.runWithMounts(`touch $dir/file; TPROXY_CACHE_DIR=$dir/file $file --version`),
    /Not a directory/,
  );
  assert.deepEqual([...Deno.readDirSync(`${bench.directory}/there`)], []);
});

portableTest("uses what is unpacked already on a read-only file system", async (bench) => {
  works(await bench.run([bench.file, "--version"]));
  works(
    await bench.runWithMounts(`mount --bind $dir/cache $dir/cache; mount -o remount,ro,bind $dir/cache
      TPROXY_CACHE_DIR=$dir/cache $file --version`),
  );
});

portableTest("goes from place to place when none is chosen", async (bench) => {
  const home = `${bench.directory}/home`;
  const show =
    `$file --version; [ ! -d /var/cache/tproxy ] || echo var; [ ! -d ${home}/.cache/tproxy ] || echo home
    [ ! -d /tmp/tproxy-0 ] || echo tmp`;
  const start = `mkdir -p ${home}; mount -t tmpfs -o mode=1777 none /tmp; `;
  for (
    const [places, mounts] of [
      ["var", "mount -t tmpfs none /var/cache"],
      ["home", "mount -t tmpfs -o ro none /var/cache"],
      ["var home", "mount -t tmpfs -o noexec none /var/cache"],
      ["var home", "mount -t tmpfs -o size=1m none /var/cache"],
      ["tmp", `mount -t tmpfs -o ro none /var/cache; mount -t tmpfs -o ro none ${home}`],
      [
        "tmp",
        `mount -t tmpfs -o ro none /var/cache; mount -t tmpfs -o mode=777 none ${home}; mkdir -m 777 ${home}/.cache`,
      ],
    ]
  ) {
    const outcome = await bench.runWithMounts(`${start}${mounts}; ${show}`, { HOME: home });
    works(outcome);
    assert.ok(
      outcome.stdout.trim().split("\n").slice(1).join(" ").endsWith(places),
      `${mounts}: ${outcome.stdout}`,
    );
    await Deno.remove(home, { recursive: true });
  }
});

portableTest("runs as an ordinary user, in /tmp only where nobody else had a hand", async (bench) => {
  const show = `${NOBODY.join(" ")} env HOME=/nonexistent $file --version`;
  const start = "mount -t tmpfs -o mode=1777 none /tmp; ";
  const outcome = await bench.runWithMounts(`${start}${show}; stat -c '%a %u' /tmp/tproxy-65534`);
  works(outcome);
  assert.match(outcome.stdout, /\n700 65534\n$/);
  for (
    const [trick, reason] of [
      ["mkdir -m 755 /tmp/tproxy-65534", /belongs to the user 0/],
      ["mkdir -m 700 /tmp/tproxy-65534", /cannot be opened: Permission denied/],
      ["mkdir -m 755 /tmp/tproxy-65534; chown nobody /tmp/tproxy-65534", /open to other users/],
      ["mkdir -m 700 /tmp/x; chown nobody /tmp/x; ln -s x /tmp/tproxy-65534", /cannot be opened/],
    ] as const
  ) fails(await bench.runWithMounts(`${start}${trick}; ${show}`), reason);
});

portableTest("unpacks once when eight start at the same time", async (bench) => {
  for (
    const outcome of await Promise.all(Array.from({ length: 8 }, () => bench.run([bench.file, "--version"])))
  ) {
    works(outcome);
  }
  const portable = readPortable(bench.file);
  assert.deepEqual(bench.cached(), ["program", "runtime"].map((name) => layerOf(portable, name).id));
});

portableTest("starts again after it was killed while unpacking", async (bench) => {
  for (let round = 0; round < 3; round++) {
    const program = new Program(clean([bench.file, "--version"], { TPROXY_CACHE_DIR: bench.cache }));
    await until(() => isUnpacking(bench.cache), { what: "an unpacking directory", pollMs: 1 });
    await program.stop("SIGKILL");
    assert.ok(bench.cached().some((name) => name.startsWith(".unpack-")), "it was killed in the middle");
  }
  works(await bench.run([bench.file, "--version"]));
  assert.equal(bench.cached().length, 2, bench.cached().join(" "));
});

function isUnpacking(cache: string): boolean {
  try {
    return [...Deno.readDirSync(cache)].some((entry) => entry.name.startsWith(".unpack-"));
  } catch {
    return false;
  }
}

portableTest("repairs what was damaged in the cache", async (bench) => {
  works(await bench.run([bench.file, "--version"]));
  const portable = readPortable(bench.file);
  const [runtime, program] = ["runtime", "program"].map((name) =>
    `${bench.cache}/${layerOf(portable, name).id}`
  );
  const original = Deno.readFileSync(`${program}/tproxy.js`);
  for (
    const damage of [
      () => Deno.truncateSync(`${runtime}/deno`, 1_000_000),
      () => Deno.removeSync(`${runtime}/libc.so.6`),
      () =>
        Deno.writeFileSync(`${program}/tproxy.js`, original.map((byte, at) => at === 0 ? byte ^ 1 : byte)),
      () => Deno.chmodSync(`${runtime}/tproxy`, 0o644),
      () => Deno.removeSync(program, { recursive: true }),
      () => {
        Deno.removeSync(`${program}/tproxy.js`);
        Deno.symlinkSync("/dev/null", `${program}/tproxy.js`);
      },
    ]
  ) {
    damage();
    works(await bench.run([bench.file, "--version"]));
    assert.deepEqual(Deno.readFileSync(`${program}/tproxy.js`), original);
    assert.equal(bench.cached().length, 2, bench.cached().join(" "));
  }
});

portableTest("removes an older version, but not while it runs", async (bench) => {
  const portable = readPortable(bench.file);
  const next = `${bench.directory}/next`;
  await writeWithProgram(next, portable, { name: "1", text: PROGRAM });
  const runtime = layerOf(portable, "runtime").id;

  const old = new Program(clean([bench.stand, "wait"], { TPROXY_CACHE_DIR: bench.cache }));
  try {
    await old.waitForOutput("ready");
    works(await bench.run([next, "--version"]));
    assert.deepEqual(bench.cached(), ["program-test-0", "program-test-1", runtime]);
  } finally {
    await old.stop();
  }
  works(await bench.run([bench.file, "--version"]));
  assert.deepEqual(bench.cached(), [layerOf(portable, "program").id, runtime], "a shared runtime stays");
});

portableTest("refuses to start when the file itself is damaged", async (bench) => {
  const portable = readPortable(bench.file);
  const broken = `${bench.directory}/broken`;
  const flip = (at: number) => {
    const bytes = portable.bytes.slice();
    bytes[at] ^= 1;
    return bytes;
  };
  for (const name of ["runtime", "program"]) {
    const { offset, size } = layerOf(portable, name);
    for (const at of [offset, offset + (size >> 1), offset + size - 1]) {
      Deno.writeFileSync(broken, flip(at), { mode: 0o755 });
      const reason = new RegExp(
        `broken is damaged: the hash of its ${name} is wrong\\. Copy it again\\.\\n$`,
      );
      fails(await bench.run([broken, "--version"], { TPROXY_CACHE_DIR: `${bench.cache}-${at}` }), reason);
      const left = [...Deno.readDirSync(`${bench.cache}-${at}`)].map((entry) => entry.name);
      assert.ok(left.every((name) => !name.startsWith(".unpack")), left.join(" "));
    }
  }
  const other = portable.lines.map((line) =>
    line.replace(/^(layer program \S+ )\w/, (_, start) => `${start}g`)
  );
  writeVariant(broken, portable, { lines: other });
  fails(await bench.run([broken, "--version"]), /unknown line in its index: layer program/);
  const swapped = portable.lines.map((line) =>
    line.replace(/^(layer program \S+ )\w{8}/, (_, start) => `${start}00000000`)
  );
  writeVariant(broken, portable, { lines: swapped });
  fails(await bench.run([broken, "--version"]), /the hash of its program is wrong/);
  Deno.writeFileSync(broken, flip(portable.indexAt + 10), { mode: 0o755 });
  fails(await bench.run([broken, "--version"]), /the hash of its index is wrong/);
  Deno.writeFileSync(broken, portable.bytes.subarray(0, 20_000_000), { mode: 0o755 });
  fails(await bench.run([broken, "--version"]), /its end is missing \(20000000 bytes are there\)/);
});

portableTest("becomes the program: same process, arguments, exit code, input, signals", async (bench) => {
  const args = ["--a", "b c", "", "-c", "--", "ä*"];
  const program = new Program(
    clean([bench.stand, "tell", ...args], { TPROXY_CACHE_DIR: bench.cache, LD_PRELOAD: "x.so" }),
  );
  assert.equal(await program.waitForExit(), 0, program.output);
  const told = JSON.parse(program.stdout);
  await program.stop();
  assert.deepEqual(told.args, args);
  assert.equal(told.pid, program.pid);
  assert.equal(told.name, "tproxy");
  assert.equal(told.environment.TPROXY_SELF, bench.stand);
  assert.equal(told.environment.TPROXY_CACHE_DIR, bench.cache);
  assert.equal(told.environment.DENO_DIR, `${bench.cache}/program-test-0/deno-dir`);
  assert.equal(told.environment.LD_PRELOAD, undefined);
  assert.equal((await bench.run([bench.stand, "exit", "42"])).code, 42);
  const cat = clean([bench.stand, "cat"], { TPROXY_CACHE_DIR: bench.cache });
  assert.equal((await runProgram(cat, { input: "through\n" })).stdout, "through\n");

  const waiting = new Program(clean([bench.stand, "wait"], { TPROXY_CACHE_DIR: bench.cache }));
  await waiting.waitForOutput(`ready ${waiting.pid}`);
  waiting.signal("SIGTERM");
  assert.equal(await waiting.waitForExit(), 7);
  await waiting.stop();
});

portableTest("takes a path of its own: symbolic link, relative, closed standard streams", async (bench) => {
  Deno.symlinkSync("stand", `${bench.directory}/link`);
  const outcome = await bench.run(["sh", "-c", `cd ${bench.directory} && ./link tell <&-`], {
    TPROXY_CACHE_DIR: "cache",
  });
  assert.equal(outcome.code, 0, outcome.stderr);
  const { environment } = JSON.parse(outcome.stdout);
  assert.equal(environment.TPROXY_SELF, bench.stand);
  assert.equal(environment.TPROXY_CACHE_DIR, bench.cache);
});

portableTest("gives selftest a user namespace when it is not root", async (bench) => {
  const run = (argv: string) =>
    bench.runWithMounts(
      `mount -t tmpfs -o mode=1777 none /tmp; mount -t tmpfs none /var/cache; ${argv}`,
      { HOME: "/nonexistent" },
    );
  assert.match((await run("$stand selftest")).stdout, /^undefined 0 /);
  const user = NOBODY.join(" ");
  const entered = await run(`${user} $stand selftest`);
  const allowed = await runProgram([...NOBODY, "unshare", "--user", "--net", "true"], { mayFail: true });
  if (allowed.code === 0) assert.match(entered.stdout, /^1 0 0*[1-9a-f]\w+\n$/);
  else assert.match(entered.stdout, /^E[A-Z]+ 65534 0+\n$/);
  // Whoever is in a chroot may not make a user namespace.
  const refused = await run(`mkdir /tmp/proc $dir/chroot; mount --rbind / $dir/chroot
    chroot $dir/chroot ${user} $stand selftest`);
  assert.match(refused.stdout, /^EPERM 65534 0+\n$/, refused.stderr);
});
