/**
 * Runs unit tests as on a router with arm64: by Deno for arm64 and Debian's C library for it, in qemu-user,
 * with a processor that most routers have. Where that cannot be, one test counts as skipped.
 *
 * ```
 * scripts/deno run -A scripts/lib/test/emulated.ts [--address-bits N] FILE… --junit-path=FILE
 * ```
 * @module
 */
import { isDirectory } from "../build/disk.ts";
import { findEmulation } from "../build/proof/emulation.ts";
import { bringNpmPackage } from "../build/parts/npm.ts";
import { PROJECT } from "../build/project.ts";
import { run, runBuild, say } from "../build/run.ts";
import { runtimePackages } from "../build/ingredients/runtime.ts";
import { HOST, type Target, TARGETS } from "../build/target.ts";

const ARCH = "aarch64";
/** Cores of MT7981, RK3328, BCM2837: no atomics of ARMv8.1 (LSE), no SVE. */
const CPU = "cortex-a53";

/** The C library and the compiler's library in one tree, as QEMU wants them. */
function makeRoot(target: Target): string {
  const packages = runtimePackages(target);
  const name = packages.map(({ name, version }) => `${name}-${version}`).join("_");
  const root = `${PROJECT}/.cache/debian/${target.debianArch}/root-${name}`;
  if (!isDirectory(root)) {
    const part = Deno.makeTempDirSync({ dir: `${PROJECT}/.cache/debian`, prefix: ".root-" });
    for (const { root } of packages) run("cp", ["-a", `${root}/.`, part]);
    Deno.renameSync(part, root);
  }
  return root;
}

/** Deno's caches for the other processor, with this one's npm packages. */
function makeDenoDir(): string {
  const directory = `${PROJECT}/.cache/deno-${ARCH}`;
  Deno.mkdirSync(directory, { recursive: true });
  try {
    Deno.symlinkSync("../deno/npm", `${directory}/npm`);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  return directory;
}

function skip(junit: string | undefined, reason: string): void {
  say(`skipped: ${reason}`);
  if (junit === undefined) return;
  const test = `<testcase name="on ${ARCH}" time="0.000"><skipped/></testcase>`;
  Deno.writeTextFileSync(junit, `<testsuites><testsuite name="emulated">${test}</testsuite></testsuites>\n`);
}

function runTests(args: readonly string[]): void {
  const bits = args[0] === "--address-bits" ? Number(args[1]) : undefined;
  const tests = bits === undefined ? args : args.slice(2);
  const junit = tests.find((word) => word.startsWith("--junit-path="))?.split("=")[1];
  const target = TARGETS.find(({ arch }) => arch === ARCH)!;
  if (target === HOST) return skip(junit, `this machine is one with ${ARCH}: its unit tests have run`);
  const emulation = findEmulation(target);
  if (typeof emulation === "string") return skip(junit, emulation);
  const deno = `${bringNpmPackage(target.denoPackage)}/deno`;
  const [command, ...words] = [...emulation, deno, "test", "-A", "--no-check", ...tests];
  const { code } = new Deno.Command(command, {
    args: words,
    cwd: PROJECT,
    env: {
      DENO_DIR: makeDenoDir(),
      QEMU_LD_PREFIX: makeRoot(target),
      QEMU_CPU: CPU,
      ...bits === undefined ? {} : { QEMU_RESERVED_VA: `0x${(2 ** bits).toString(16)}` },
    },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).outputSync();
  Deno.exit(code);
}

runBuild(() => runTests(Deno.args));
