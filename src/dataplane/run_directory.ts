/**
 * Files in /run that proxies leave for other commands and for those that come after them. A machine without
 * a place for them goes without: nothing here throws.
 * @module
 */
import { RUN_DIRECTORY } from "../constants.ts";

/** Makes the directory, where it is not there. */
export function makeRunDirectory(): void {
  orNothing(() => Deno.mkdirSync(RUN_DIRECTORY, { mode: 0o755 }));
}

/** Returns the path of a file. */
export function runFile(name: string): string {
  return `${RUN_DIRECTORY}/${name}`;
}

/** Lists the names of all files. */
export function listRunFiles(): string[] {
  return orNothing(() => [...Deno.readDirSync(RUN_DIRECTORY)].map(({ name }) => name)) ?? [];
}

/** Writes a file as JSON, whole or not at all; false: it could not. */
export function writeRunFile(name: string, content: object): boolean {
  const path = runFile(name);
  // The directory may be an unprivileged proxy's: what is at that name must not lead root elsewhere.
  removeRunFile(`${name}.new`);
  return orNothing(() => {
    Deno.writeTextFileSync(`${path}.new`, JSON.stringify(content), { mode: 0o644, createNew: true });
    Deno.renameSync(`${path}.new`, path);
    return true;
  }) ?? false;
}

/** Removes a file. */
export function removeRunFile(name: string): void {
  orNothing(() => Deno.removeSync(runFile(name)));
}

/** Returns what the work comes to; undefined: it has failed. */
export function orNothing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
