/**
 * A copy of a product that is shipped, in a directory of its own, started with a clean
 * environment. Mounts are made in private mount namespaces.
 * @module
 */
import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import { readPortable, writeWithProgram } from "./portable.ts";
import { print } from "../machine/print.ts";
import { type Outcome, runProgram } from "../program.ts";

const PROJECT = new URL("../../../", import.meta.url).pathname;
const ARCH = Deno.build.arch;
/** The forms of the product, where the build puts them. */
export const PRODUCTS = {
  packed: `${PROJECT}dist/tproxy`,
  image: `${PROJECT}dist/tproxy-${ARCH}-image`,
  installed: `${PROJECT}dist/installed-${ARCH}`,
} as const;
/** A form of the product. */
export type ProductForm = keyof typeof PRODUCTS;
/** Begins a program as an ordinary user. */
export const NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
/** Begins a shell script as root where mounts are private. */
const PRIVATE_MOUNTS = ["unshare", "--mount", "--propagation", "private", "sh", "-ec"];

/** A program that tells of its process; it takes the place of the real one where starting is the subject. */
export const STAND_IN = `
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

/** A directory that ordinary users may enter, with copies of the product in it. */
export class ProductCopy implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ dir: findSpace(), prefix: "tproxy-portable-" });
  readonly cache = `${this.directory}/cache`;
  /** The product; of the installed form its launcher. */
  readonly file: string;
  /** The packed product with STAND_IN in the place of its program. */
  readonly standIn = `${this.directory}/stand_in`;

  private constructor(form: ProductForm) {
    Deno.chmodSync(this.directory, 0o755);
    this.file = form === "installed" ? `${this.directory}/usr/bin/tproxy` : `${this.directory}/tproxy`;
  }

  /** Copies a form of the product. */
  static async open(form: ProductForm): Promise<ProductCopy> {
    const copy = new ProductCopy(form);
    if (form === "installed") await runProgram(["cp", "-a", `${PRODUCTS[form]}/.`, copy.directory]);
    else Deno.copyFileSync(PRODUCTS[form], copy.file);
    if (form === "packed") {
      await writeWithProgram(copy.standIn, readPortable(copy.file), { name: "0", text: STAND_IN });
    }
    return copy;
  }

  /** Unpacks once, for tests whose subject is something else. */
  async unpack(): Promise<void> {
    works(await this.run([this.file, "--version"]));
  }

  /** Runs with a clean environment: the cache directory, and what is given. */
  run(argv: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
    return runProgram(clean(argv, { TPROXY_CACHE_DIR: this.cache, ...env }), { mayFail: true });
  }

  /**
   * Runs a script as root where mounts are private; `$dir` is the directory, `$file` and `$stand_in` the
   * files.
   */
  runWithMounts(script: string, env: Record<string, string> = {}): Promise<Outcome> {
    const variables = { dir: this.directory, file: this.file, stand_in: this.standIn, ...env };
    return runProgram(clean([...PRIVATE_MOUNTS, script], variables), { mayFail: true, timeoutMs: 120_000 });
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

/** Finds a place for gigabytes: memory saves the disk, and the time to wait for it. */
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

/** The argument vector with an environment of these variables and a PATH alone. */
export function clean(argv: readonly string[], env: Record<string, string>): string[] {
  const path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  return ["env", "-i", path, ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...argv];
}

/** A test with a copy of its own; skipped, with its reason, where it cannot be. */
export function portableTest(
  name: string,
  test: (copy: ProductCopy) => Promise<void>,
  form: ProductForm = "packed",
  findOther: () => string | undefined = () => undefined,
): void {
  const obstacle = findObstacle(form) ?? findOther();
  if (obstacle !== undefined) print(`skipped: ${form} product ${name}: ${obstacle}`);
  Deno.test({
    name: `${form} product ${name}`,
    ignore: obstacle !== undefined,
    async fn() {
      await using copy = await ProductCopy.open(form);
      await test(copy);
    },
  });
}

function findObstacle(form: ProductForm): string | undefined {
  if (Deno.uid() !== 0) return "needs root (chroot, mounts)";
  try {
    Deno.statSync(PRODUCTS[form]);
  } catch {
    return `${PRODUCTS[form].slice(PROJECT.length)} is not there (scripts/build --form ${form} makes it)`;
  }
}

/** The program ran. */
export function works(outcome: Outcome): void {
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(outcome.stdout, /^tproxy \d/);
}

/** The launcher refused, and said why. */
export function fails(outcome: Outcome, text: RegExp): void {
  assert.equal(outcome.code, 1, outcome.stdout + outcome.stderr);
  assert.equal(outcome.stdout, "");
  assert.match(outcome.stderr, /^tproxy: /m);
  assert.match(outcome.stderr, text);
}

/** Everything a router need not have is missing: this file, /proc, /sys and /dev are all there is. */
export const CHROOT = `
  mkdir $dir/root $dir/root/proc $dir/root/sys $dir/root/dev
  cp $file $dir/root/tproxy
  mount -t proc proc $dir/root/proc
  mount --rbind /sys $dir/root/sys
  mount --rbind /dev $dir/root/dev
  exec env -i $(command -v chroot) $dir/root /tproxy `;
