/**
 * `vmTest` and `vmTests`: Deno tests that get a machine, or are ignored with a printed reason where it cannot
 * be had.
 * @module
 */
import type { DebianArchitecture } from "../../../scripts/lib/debian.ts";
import { print } from "../../laboratory/machine/print.ts";
import { fetchKernel } from "./kernel.ts";
import { missingFile, productFile } from "./product.ts";
import { missingQemu } from "./qemu.ts";
import { type MachineOptions, Vm } from "./vm.ts";

/** Needs of a test. */
export interface VmTestOptions extends MachineOptions {
  /** Reason why it cannot run here, if any. */
  readonly obstacle?: string | undefined;
}

const TAIL_LINES = 60;

/**
 * Registers a test that runs in a machine of its own. It prints how long the boot and the whole took; after a
 * failure also the end of the machine's log.
 */
export function vmTest(name: string, options: VmTestOptions, test: (vm: Vm) => Promise<void>): void {
  const machine = new Machine(name, options);
  register(name, options, {}, async () => {
    await machine.run(test);
    await machine.end();
  });
}

/**
 * Registers tests that run in one machine, one after another. One that fails ends it, and the next test gets
 * a new one.
 */
export function vmTests(
  title: string,
  options: VmTestOptions,
  tests: Readonly<Record<string, (vm: Vm) => Promise<void>>>,
): void {
  const machine = new Machine(title, options);
  for (const [name, test] of Object.entries(tests)) {
    const outlives = { sanitizeOps: false, sanitizeResources: false };
    register(`${title}: ${name}`, options, outlives, () => machine.run(test));
  }
  Deno.test.afterAll(() => machine.end());
}

function register(
  name: string,
  options: VmTestOptions,
  sanitizers: { sanitizeOps?: boolean; sanitizeResources?: boolean },
  fn: () => Promise<void>,
): void {
  const obstacle = options.obstacle ?? findObstacle(options.architecture);
  if (obstacle !== undefined) print(`skipped: ${name}: ${obstacle}`);
  Deno.test({ name, ignore: obstacle !== undefined, ...sanitizers, fn });
}

/** A machine that is started when a test needs it. */
class Machine {
  readonly #directory: string;
  readonly #options: MachineOptions;
  #vm: Vm | undefined;
  #start = 0;

  constructor(name: string, options: MachineOptions) {
    this.#directory = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").slice(0, 60);
    this.#options = options;
  }

  /** Runs a test in it; one that fails ends it. */
  async run(test: (vm: Vm) => Promise<void>): Promise<void> {
    if (this.#vm === undefined) {
      this.#start = performance.now();
      this.#vm = await Vm.start(this.#directory, this.#options);
    }
    const vm = this.#vm;
    try {
      await test(vm);
    } catch (error) {
      await this.end();
      const log = Deno.readTextFileSync(`${vm.directory}/log`).split("\n");
      print(`--- end of ${vm.directory}/log\n${log.slice(-TAIL_LINES).join("\n")}`);
      throw error;
    }
  }

  /** Ends it, if it runs. */
  async end(): Promise<void> {
    const vm = this.#vm;
    if (vm === undefined) return;
    this.#vm = undefined;
    await vm[Symbol.asyncDispose]();
    const seconds = (performance.now() - this.#start) / 1000;
    print(`${vm.release}: booted in ${vm.bootSeconds.toFixed(0)} s, ended after ${seconds.toFixed(0)} s`);
  }
}

const obstacles = new Map<DebianArchitecture, string | undefined>();

/** Returns the reason why no machine of the architecture can be had here, if any. */
function findObstacle(architecture: DebianArchitecture): string | undefined {
  if (!obstacles.has(architecture)) {
    obstacles.set(
      architecture,
      missingQemu(architecture) ?? missingFile(productFile(architecture)) ?? missingKernel(architecture),
    );
  }
  return obstacles.get(architecture);
}

function missingKernel(architecture: DebianArchitecture): string | undefined {
  try {
    fetchKernel(architecture);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
