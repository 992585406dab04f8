/**
 * Steps of `scripts/test`. Each is a command; its exit code counts as one check, or its JUnit report as many
 * tests.
 * @module
 */

import config from "../../../deno.json" with { type: "json" };

/** One command of the test run. */
export interface Step {
  readonly title: string;
  readonly argv: readonly string[];
  /** Minutes after which it is killed and counts as failed. */
  readonly minutes: number;
  /** Marks a `deno test` run: its tests are counted, not its exit code alone. */
  readonly countsTests?: boolean;
  readonly env?: Record<string, string>;
  /** The step, by title, that must not have failed; else `otherwise` is run. */
  readonly needs?: string;
  readonly otherwise?: Step;
}

/** The parts that can be asked for by name. */
export type Part = "all" | "checks" | "unit" | "lab" | "vm";

const DENO = "scripts/deno";
const CODE = ["mod.ts", "src", "ffi", "tests", "scripts"];
/** The entries of the library, as deno.json has them. */
const ENTRIES: readonly string[] = Object.values(config.exports);
/** The directory into which the product unpacks: in the project, so that nothing is left elsewhere. */
const UNPACKED = new URL("../../../.cache/tproxy", import.meta.url).pathname;
/** The file that is shipped, and that the laboratory tests of a whole run use. */
const PRODUCT = "dist/tproxy";

/** Tests that are run again with iptables: install, uninstall, and each way that packets take. */
const OF_THE_BACKEND = [
  "install/install",
  "install/rules",
  "install/uninstall",
  "install/status",
  "path/path",
  "udp/path",
  "path/port_forward",
].map((name) => `tests/lab/${name}_test.ts`);

/** Tests that are run again with `admission: early`: of each subject some. */
const OF_THE_ADMISSION = ["install/install", "path/path", "tcp/tcp", "udp/udp", "udp/icmp", "router/traffic"]
  .map((name) => `tests/lab/${name}_test.ts`);

/** The steps of a part; `filter` selects tests of the laboratory or of the machines by name. */
export function planSteps(part: Part, options: { filter?: string } = {}): Step[] {
  const build: Step = {
    title: "build dist/",
    argv: ["scripts/build", "--target", "all", "--form", "all"],
    minutes: 20,
  };
  switch (part) {
    case "checks":
      return checks();
    case "unit":
      return [unit(), ...emulated()];
    case "lab":
      return options.filter === undefined ? labs({}) : [lab({ ...options, env: {} })];
    case "vm":
      return [machines(options.filter)];
    case "all": {
      const sources = labs({});
      const products = labs({ TPROXY_BIN: PRODUCT, TPROXY_CACHE_DIR: UNPACKED });
      // Never an old product: without a new one, the source program.
      const either = products.map((step, i) => ({ ...step, needs: build.title, otherwise: sources[i] }));
      return [...checks(), unit(), ...emulated(), build, ...either, machines(undefined)];
    }
  }
}

/**
 * All laboratory tests; and unless a backend is asked for, some again with the other admission, and with each
 * kind of iptables.
 */
function labs(env: Record<string, string>): Step[] {
  const all = lab({ env });
  if (Deno.env.get("TPROXY_LAB_BACKEND") !== undefined) return [all];
  const again = ["iptables-nft", "iptables-legacy"].map((backend): Step => ({
    ...lab({ env: { ...env, TPROXY_LAB_BACKEND: backend }, files: OF_THE_BACKEND }),
    title: `laboratory tests, ${backend}`,
  }));
  const early: Step = {
    ...lab({ env: { ...env, TPROXY_LAB_ADMISSION: "early" }, files: OF_THE_ADMISSION }),
    title: "laboratory tests, admission: early",
  };
  return [all, early, ...again];
}

function checks(): Step[] {
  return [
    { title: "format", argv: [DENO, "fmt", "--check"], minutes: 5 },
    { title: "lint", argv: [DENO, "lint", "--quiet"], minutes: 5 },
    { title: "types", argv: [DENO, "check", "--quiet", ...CODE], minutes: 10 },
    {
      title: "documentation of the library",
      argv: [DENO, "doc", "--lint", "--quiet", ...ENTRIES],
      minutes: 5,
    },
    { title: "layers", argv: [DENO, "run", "-A", "scripts/lib/layers/main.ts"], minutes: 5 },
  ];
}

function unit(): Step {
  return {
    title: "unit tests",
    argv: [DENO, "test", "-A", "--no-check", "tests/unit"],
    minutes: 12,
    countsTests: true,
  };
}

/**
 * The unit tests of ffi/ once more, by Deno for arm64: as kernels with 48-bit addresses have it, and with
 * 39-bit ones.
 */
function emulated(): Step[] {
  const runner = [DENO, "run", "-A", "scripts/lib/test/emulated.ts"];
  const step = (title: string, options: readonly string[]): Step => ({
    title: `unit tests of ffi/, ${title}`,
    argv: [...runner, ...options, "tests/unit/ffi"],
    minutes: 6,
    countsTests: true,
  });
  return [step("arm64", []), step("arm64 with 39-bit addresses", ["--address-bits", "39"])];
}

function lab(
  options: { filter?: string; env: Record<string, string>; files?: readonly string[] },
): Step {
  const filter = options.filter === undefined ? [] : ["--filter", options.filter];
  return {
    title: "laboratory tests",
    argv: [DENO, "test", "-A", "--no-check", ...filter, ...options.files ?? ["tests/lab"]],
    minutes: 58,
    countsTests: true,
    env: options.env,
  };
}

/** Emulated machines with other kernels, of one processor each: as many at once as this machine has. */
function machines(filter: string | undefined): Step {
  const chosen = filter === undefined ? [] : ["--filter", filter];
  return {
    title: "other kernels, emulated",
    argv: [DENO, "test", "-A", "--no-check", "--parallel", ...chosen, "tests/vm"],
    minutes: 30,
    countsTests: true,
  };
}
