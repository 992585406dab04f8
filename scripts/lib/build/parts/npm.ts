/**
 * Packages of the npm registry, unpacked in .cache.
 * @module
 */
import { isDirectory } from "../disk.ts";
import { PROJECT } from "../project.ts";
import { runAloud } from "../run.ts";
import { NPM_PINS } from "./pins.ts";

/** Brings a pinned npm package, unless it is there; gives its directory. */
export function bringNpmPackage(name: string): string {
  // The same place as scripts/deno's.
  const directory = `${PROJECT}/.cache/deno-${NPM_PINS.get(name)}/node_modules/${name}`;
  if (!isDirectory(directory)) runAloud("scripts/lib/bring_npm", [name, directory]);
  return directory;
}
