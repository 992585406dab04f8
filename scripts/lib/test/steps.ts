/**
 * Steps of `scripts/test`. Each is a command; its exit code counts as one check, or its JUnit report as many
 * tests.
 * @module
 */

import config from "../../../deno.json" with { type: "json" };
import { planChosen, planLaboratory } from "./laboratory.ts";
import { DENO, type Step } from "./step.ts";

/** The parts that can be asked for by name. */
export type Part = "all" | "checks" | "unit" | "lab" | "vm";

const CODE = ["mod.ts", "src", "ffi", "tests", "scripts"];
/** The entries of the library, as deno.json has them. */
const ENTRIES: readonly string[] = Object.values(config.exports);
/** The directory into which the product unpacks: in the project, so that nothing is left elsewhere. */
const UNPACKED = new URL("../../../.cache/tproxy", import.meta.url).pathname;
/** The file that is shipped, and that the laboratory tests of a whole run use. */
const PRODUCT = "dist/tproxy";

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
      return options.filter === undefined ? planLaboratory({}) : [planChosen(options.filter)];
    case "vm":
      return [machines(options.filter)];
    case "all": {
      const sources = planLaboratory({});
      const products = planLaboratory({ TPROXY_BIN: PRODUCT, TPROXY_CACHE_DIR: UNPACKED });
      // Never an old product: without a new one, the source program.
      const either = products.map((step, i) => ({ ...step, needs: build.title, otherwise: sources[i] }));
      return [...checks(), unit(), ...emulated(), build, ...either, machines(undefined)];
    }
  }
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

/** Emulated machines with other kernels, of one processor each: as many at once as this machine has. */
function machines(filter: string | undefined): Step {
  const chosen = filter === undefined ? [] : ["--filter", filter];
  return {
    title: "other kernels, emulated",
    argv: [DENO, "test", "-A", "--no-check", "--parallel", ...chosen, "tests/vm"],
    minutes: 38,
    countsTests: true,
    // Who chooses tests wants to see what they do.
    secondTry: filter === undefined,
  };
}
