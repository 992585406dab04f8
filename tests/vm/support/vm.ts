/**
 * Machines that QEMU emulates, with Debian's kernels: what the laboratory's namespaces cannot show, because
 * their kernel is this machine's.
 *
 * ```
 *   test (this machine)                         QEMU: 1 processor, no network card
 *  ┌────────────────────┐                      ┌──────────────────────────────────────────────┐
 *  │ vm.run(name,script)├── port "control" ───►│ runner.sh: sh script                         │
 *  │   { code, output } │◄─────────────────────┤   its output, "@@ exit NONCE CODE"           │
 *  │                    │                      │                                              │
 *  │ vm.console()       │◄── serial line ──────┤ kernel of Debian's linux-image-ARCH          │
 *  └────────────────────┘                      │                                              │
 *   .cache/vm/NAME/                            │ root: initramfs, or a disk (`disk`)          │
 *     log      both, kept when it fails        │   /bin        BusyBox, static                │
 *     console                                  │   /lib/modules  those asked for, loaded      │
 *     initramfs, disk                          │   what `files` and `fill` put there          │
 *                                              │   /run/vm     the runner's own               │
 *                                              └──────────────────────────────────────────────┘
 * ```
 *
 * Nothing else is in there: no C library, no module that was not asked for, no network but what a step makes
 * with namespaces (`unshare -n`) and veth. Emulation costs a factor of ten to twenty: several scenarios share
 * a boot.
 * @module
 */
import { exists } from "../../../scripts/lib/build/disk.ts";
import { type DebianArchitecture, fetchDebianPackages } from "../../../scripts/lib/debian.ts";
import { Channel, type StepResult } from "./channel.ts";
import { writeCpio } from "./cpio.ts";
import { writeDisk } from "./disk.ts";
import { fetchKernel, findModules } from "./kernel.ts";
import { qemuCommand } from "./qemu.ts";
import { type FileSource, Tree } from "./tree.ts";

/** Parts of a machine. */
export interface MachineOptions {
  readonly architecture: DebianArchitecture;
  /** Default 1024. */
  readonly memoryMb?: number;
  /** Default 1: machines run side by side, and two processors each would cost all of them a fifth. */
  readonly processors?: number;
  /** Modules to be loaded at the start, with all that they need. */
  readonly modules: readonly string[];
  /** Modules that only lie in /lib/modules/NAME.ko, for steps that load them with insmod. */
  readonly moduleFiles?: readonly string[];
  /** Files by their paths in the machine: a path here, or a text with its mode. */
  readonly files?: Readonly<Record<string, FileSource>>;
  /** Puts whole directories, links and the like into the root. */
  readonly fill?: (root: Tree) => void;
  /**
   * The root is an ext4 disk of this size instead of memory, and `options` are those of mount (default `rw`).
   * `image`: a file that outlives the machine: made where it is not there, else taken as an earlier machine
   * has left it.
   */
  readonly disk?: { readonly sizeMb: number; readonly options?: string; readonly image?: string };
  /** The program that becomes process 1 instead of a shell that waits. */
  readonly init?: string;
  readonly kernelArguments?: readonly string[];
  /** Minutes after which the machine is killed. Default 15. */
  readonly minutes?: number;
}

const PROJECT = new URL("../../../", import.meta.url).pathname;
const GUEST = ["net.sh", "links.sh", "init.sh", "start.sh", "runner.sh"];
/** Without these there is no talk with the machine. */
const PORT_MODULES = ["virtio_pci", "virtio_console"];
const DISK_MODULES = ["virtio_blk", "ext4"];
const START_LIMIT_MS = 240_000;
const STEP_LIMIT_SECONDS = 120;

/** A machine that runs. */
export class Vm implements AsyncDisposable {
  /** The directory of its log and files, on this machine. */
  readonly directory: string;
  /** The kernel's release. */
  readonly release: string;
  /** Names of the modules that were loaded at the start, in order. */
  readonly modules: readonly string[];
  /** Seconds from the start of QEMU until the first step could run. */
  bootSeconds = 0;
  readonly #child: Deno.ChildProcess;
  readonly #channel: Channel;
  readonly #log: Deno.FsFile;

  private constructor(
    parts: {
      directory: string;
      release: string;
      modules: readonly string[];
      argv: string[];
      minutes: number;
    },
  ) {
    this.directory = parts.directory;
    this.release = parts.release;
    this.modules = parts.modules;
    this.#log = Deno.openSync(`${parts.directory}/log`, { write: true, create: true, truncate: true });
    // timeout(1) outlives a test that is killed.
    this.#child = new Deno.Command("timeout", {
      args: ["--signal=KILL", `${parts.minutes}m`, ...parts.argv],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#channel = new Channel(this.#child, (text) => this.#write(text));
  }

  #write(text: string): void {
    this.#log.writeSync(new TextEncoder().encode(text));
  }

  /** Makes a machine and starts it. `name` is that of its directory. */
  static async start(name: string, options: MachineOptions): Promise<Vm> {
    const { architecture, disk } = options;
    const directory = `${PROJECT}.cache/vm/${name}`;
    await removeDirectory(directory);
    Deno.mkdirSync(directory, { recursive: true });
    const kernel = fetchKernel(architecture);
    const loaded = findModules(kernel, [
      ...PORT_MODULES,
      ...disk === undefined ? [] : DISK_MODULES,
      ...options.modules,
    ]);
    const lying = findModules(kernel, options.moduleFiles ?? []);
    const busybox = `${
      fetchDebianPackages(architecture, ["busybox-static"]).get("busybox-static")
    }/bin/busybox`;

    const first = new Tree().file("bin/busybox", busybox);
    const root = disk === undefined ? first : new Tree().file("bin/busybox", busybox);
    for (const path of ["dev", "proc", "sys", "run", "tmp", "root", "var", "usr/bin"]) {
      root.directory(path);
      first.directory(path);
    }
    first.file("init", `${PROJECT}tests/vm/support/guest/init.sh`);
    for (const guest of GUEST) first.file(`vm/${guest}`, `${PROJECT}tests/vm/support/guest/${guest}`);
    first.file("vm/modules", { text: loaded.map(({ name }) => `${name}.ko\n`).join("") });
    for (const module of [...loaded, ...lying]) first.file(`lib/modules/${module.name}.ko`, module.path);
    for (const module of [...loaded, ...lying]) root.file(`lib/modules/${module.name}.ko`, module.path);
    if (options.init !== undefined) first.file("vm/init", { text: `${options.init}\n` });
    if (disk !== undefined) first.file("vm/root", { text: `${disk.options ?? "rw"}\n` });
    for (const [path, source] of Object.entries(options.files ?? {})) root.file(path, source);
    options.fill?.(root);

    writeCpio(`${directory}/initramfs`, first);
    const image = disk?.image ?? `${directory}/disk`;
    if (disk !== undefined && !exists(image)) await writeDisk(image, root, disk.sizeMb);
    const argv = qemuCommand({
      architecture,
      memoryMb: options.memoryMb ?? 1024,
      processors: options.processors ?? 1,
      kernel: kernel.image,
      initramfs: `${directory}/initramfs`,
      ...disk === undefined ? {} : { disk: image },
      kernelArguments: options.kernelArguments ?? [],
      console: `${directory}/console`,
    });
    const start = performance.now();
    const vm = new Vm({
      directory,
      release: kernel.release,
      modules: loaded.map(({ name }) => name),
      argv,
      minutes: options.minutes ?? 15,
    });
    try {
      await vm.#channel.ready(START_LIMIT_MS);
      const failure = /^insmod .*: failed|^there is no root/m.exec(vm.console());
      if (failure !== null) throw new Error(failure[0]);
    } catch (error) {
      await vm[Symbol.asyncDispose]();
      throw new Error(`${(error as Error).message}; its console says:\n${vm.console()}`);
    }
    vm.bootSeconds = (performance.now() - start) / 1000;
    return vm;
  }

  /**
   * Runs a script of BusyBox's shell as root; an exit code other than 0 is an error with the script's output.
   * A program that it leaves in the background must have its output elsewhere.
   */
  async run(name: string, script: string, options: { seconds?: number } = {}): Promise<string> {
    const result = await this.try(name, script, options);
    if (result.code !== 0) {
      throw new Error(
        `Step "${name}" ended with ${result.code} after ${result.seconds.toFixed(0)} s:\n${result.output}`,
      );
    }
    return result.output;
  }

  /** Like {@linkcode run}, and any exit code is an answer. */
  try(name: string, script: string, options: { seconds?: number } = {}): Promise<StepResult> {
    return this.#channel.run(name, script, options.seconds ?? STEP_LIMIT_SECONDS);
  }

  /** All that the kernel, and every writer to /dev/console, has said so far. */
  console(): string {
    try {
      return Deno.readTextFileSync(`${this.directory}/console`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }

  /** Ends the machine. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGTERM"), 20_000);
    await this.#channel.close();
    await this.#child.status;
    clearTimeout(timer);
    this.#write(`\n@@ console\n${this.console()}`);
    this.#log.close();
    for (const file of ["initramfs", "disk"]) await removeDirectory(`${this.directory}/${file}`);
  }
}

async function removeDirectory(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
