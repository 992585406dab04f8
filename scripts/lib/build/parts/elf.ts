/**
 * Demands of a program of any architecture on the dynamic loader.
 * @module
 */
import { exists } from "../disk.ts";
import { giveUp, run } from "../run.ts";

/** The dynamic section, read. */
export interface Dynamic {
  /** Names of the libraries that it needs. */
  readonly needed: readonly string[];
  /** Path of the loader; `undefined` for a library. */
  readonly interpreter: string | undefined;
}

/** Reads what an ELF file needs, by readelf of binutils. */
export function readDynamic(path: string): Dynamic {
  const text = run("readelf", ["--wide", "--dynamic", "--program-headers", path], { env: { LC_ALL: "C" } });
  return {
    needed: [...text.matchAll(/\(NEEDED\)\s+Shared library: \[(.+?)\]/g)].map(([, name]) => name),
    interpreter: /\[Requesting program interpreter: (.+?)\]/.exec(text)?.[1],
  };
}

/** Paths of all libraries that a program needs, and that those need, by name, from some directories. */
export function findLibraries(program: string, directories: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  const queue = [program];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    for (const name of readDynamic(path).needed) {
      if (found.has(name)) continue;
      const library = directories.map((directory) => `${directory}/${name}`).find(exists);
      if (library === undefined) {
        giveUp(`${path} needs ${name}, which is in none of ${directories.join(", ")}`);
      }
      found.set(name, library);
      queue.push(library);
    }
  }
  return found;
}
