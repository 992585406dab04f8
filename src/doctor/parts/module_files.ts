/**
 * The modules that are installed for a kernel: where their files are, and what each of them needs.
 * @module
 */
import { KERNEL_PARTS } from "../../kernel/parts.ts";
import type { MachineFiles } from "../machine/files.ts";

/** The modules that are installed. */
export interface ModuleFiles {
  /** Paths by name of module, with underscores; only of files that are really there. */
  readonly paths: ReadonlyMap<string, string>;
  /**
   * The modules that one needs, those among them that they need in their turn: as modules.dep has it, nearest
   * first.
   */
  readonly needs: ReadonlyMap<string, readonly string[]>;
  /** Modules whose file is there and that modules.dep does not have: depmod(8) has not run since. */
  readonly unlisted: ReadonlySet<string>;
  /** Modules that are compiled in, as far as that is listed. */
  readonly builtIn: ReadonlySet<string>;
}

/** Hyphens and underscores are the same in names of modules. */
export function moduleName(path: string): string {
  return path.replace(/^.*\//, "").replace(/\.ko.*$/, "").replaceAll("-", "_");
}

/** Reads a directory such as /lib/modules/6.1.0-50-amd64. */
export function readModuleFiles(files: MachineFiles, directory: string): ModuleFiles {
  const list = files.readText(`${directory}/modules.dep`);
  const lines = parseDependencies(list ?? "", directory);
  const isThere = makeLookup(files);
  // OpenWrt has no such list: all its modules lie in that directory.
  const beside = files.list(directory).filter((name) => /\.ko(\.|$)/.test(name))
    .map((name) => `${directory}/${name}`);
  const paths = new Map(
    [...lines.keys(), ...beside].filter(isThere).map((path) => [moduleName(path), path]),
  );
  const needs = new Map(
    [...lines].map(([path, needed]) => [moduleName(path), needed.map(moduleName)] as const),
  );
  const unlisted = new Set(
    list === undefined ? [] : beside.map(moduleName).filter((name) => !needs.has(name)),
  );
  if (list === undefined) addNeedsOfFiles(files, { paths, needs });
  const builtIn = new Set(
    (files.readText(`${directory}/modules.builtin`) ?? "").split("\n").map(moduleName)
      .filter((name) => name !== ""),
  );
  return { paths, needs, unlisted, builtIn };
}

/** One `path: dependencies` a line. */
function parseDependencies(text: string, directory: string): Map<string, string[]> {
  const absolute = (path: string) => path.startsWith("/") ? path : `${directory}/${path}`;
  return new Map(
    text.split("\n").map((line) => line.split(":")).filter((parts) => parts.length === 2)
      .map((
        [path, needed],
      ) => [absolute(path), needed.split(" ").filter((word) => word !== "").map(absolute)]),
  );
}

/** A list may be older than the files; each directory is read once. */
function makeLookup(files: MachineFiles): (path: string) => boolean {
  const known = new Map<string, ReadonlySet<string>>();
  return (path) => {
    const slash = path.lastIndexOf("/");
    const directory = path.slice(0, slash);
    const names = known.get(directory) ?? new Set(files.list(directory));
    known.set(directory, names);
    return names.has(path.slice(slash + 1));
  };
}

/** Without a list a module tells itself what it needs. */
function addNeedsOfFiles(
  files: MachineFiles,
  { paths, needs }: { paths: ReadonlyMap<string, string>; needs: Map<string, readonly string[]> },
): void {
  const direct = new Map<string, string[]>();
  for (const name of Object.keys(KERNEL_PARTS)) {
    const path = paths.get(name);
    if (path?.endsWith(".ko")) direct.set(name, readDepends(files.readBytes(path)));
  }
  for (const name of direct.keys()) needs.set(name, [...collect(name, direct, new Set())]);
}

/** The field `depends` of the section .modinfo: strings `name=value`, with NUL between. */
function readDepends(module: Uint8Array | undefined): string[] {
  const text = new TextDecoder("latin1").decode(module ?? new Uint8Array());
  const names = /\0depends=([\w,-]*)\0/.exec(text)?.[1] ?? "";
  return names.split(",").filter((name) => name !== "").map(moduleName);
}

function collect(name: string, direct: ReadonlyMap<string, string[]>, found: Set<string>): Set<string> {
  for (const needed of direct.get(name) ?? []) {
    if (found.has(needed)) continue;
    found.add(needed);
    collect(needed, direct, found);
  }
  return found;
}
