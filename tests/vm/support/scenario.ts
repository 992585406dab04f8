/**
 * `vmTest`: a Deno test that gets a machine, or is ignored with a printed reason where it cannot run.
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
  const obstacle = options.obstacle ?? findObstacle(options.architecture);
  if (obstacle !== undefined) print(`skipped: ${name}: ${obstacle}`);
  Deno.test({ name, ignore: obstacle !== undefined, fn: () => runInVm(name, options, test) });
}

async function runInVm(
  name: string,
  options: MachineOptions,
  test: (vm: Vm) => Promise<void>,
): Promise<void> {
  const start = performance.now();
  const directory = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").slice(0, 60);
  const vm = await Vm.start(directory, options);
  try {
    await test(vm);
  } catch (error) {
    await vm[Symbol.asyncDispose]();
    const log = Deno.readTextFileSync(`${vm.directory}/log`).split("\n");
    print(`--- end of ${vm.directory}/log\n${log.slice(-TAIL_LINES).join("\n")}`);
    throw error;
  }
  await vm[Symbol.asyncDispose]();
  const seconds = (performance.now() - start) / 1000;
  print(`${vm.release}: booted in ${vm.bootSeconds.toFixed(0)} s, ended after ${seconds.toFixed(0)} s`);
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
