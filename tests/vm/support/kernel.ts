/**
 * Debian's kernel of an architecture, and those of its modules that a test asks for, in the order in which
 * they load.
 * @module
 */
import {
  type DebianArchitecture,
  fetchDebianPackages,
  findDebianDependency,
} from "../../../scripts/lib/debian.ts";

/** A kernel as its package brought it. */
export interface Kernel {
  /** `6.1.0-56-amd64` */
  readonly release: string;
  /** The file that boots. */
  readonly image: string;
  /** A directory with every module that is no part of the image. */
  readonly modules: string;
}

/** A module that a machine gets. */
export interface KernelModule {
  /** With `_`, as lsmod prints it. */
  readonly name: string;
  /** Its file on this machine. */
  readonly path: string;
}

/** Modules that a module asks for by an alias (`softdep=pre: crc32c`), where loading fails without them. */
const SOFT_DEPENDENCIES: Readonly<Record<string, readonly string[]>> = { libcrc32c: ["crc32c_generic"] };

/** Brings the kernel that Debian's metapackage names today. */
export function fetchKernel(architecture: DebianArchitecture): Kernel {
  const name = findDebianDependency(architecture, `linux-image-${architecture}`, "linux-image-");
  const directory = fetchDebianPackages(architecture, [name]).get(name)!;
  const release = name.slice("linux-image-".length);
  return {
    release,
    image: `${directory}/boot/vmlinuz-${release}`,
    modules: `${directory}/lib/modules/${release}`,
  };
}

/**
 * The named modules and all that they need, each after what it needs. Parts of the image are left out.
 *
 * @throws {Error} a module that this kernel does not have
 */
export function findModules(kernel: Kernel, names: readonly string[]): KernelModule[] {
  const files = listModules(`${kernel.modules}/kernel`);
  const builtIn = new Set(
    Deno.readTextFileSync(`${kernel.modules}/modules.builtin`).split("\n").map(moduleName),
  );
  const found = new Map<string, KernelModule>();
  const visit = (wanted: string): void => {
    const name = wanted.replaceAll("-", "_");
    if (found.has(name) || builtIn.has(name)) return;
    const path = files.get(name);
    if (path === undefined) throw new Error(`Kernel ${kernel.release} has no module ${name}`);
    for (const needed of [...readDependencies(path), ...SOFT_DEPENDENCIES[name] ?? []]) visit(needed);
    found.set(name, { name, path });
  };
  names.forEach(visit);
  return [...found.values()];
}

/** Reads `depends=` of the section .modinfo, whose entries end in zero bytes. */
function readDependencies(path: string): string[] {
  const text = new TextDecoder("latin1").decode(Deno.readFileSync(path));
  const list = /\0depends=([\w,-]*)\0/.exec(text)?.[1] ?? "";
  return list.split(",").filter((name) => name !== "");
}

function listModules(directory: string, files = new Map<string, string>()): Map<string, string> {
  for (const entry of Deno.readDirSync(directory)) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) listModules(path, files);
    else if (entry.name.endsWith(".ko")) files.set(moduleName(path), path);
  }
  return files;
}

function moduleName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.ko$/, "").replaceAll("-", "_");
}
