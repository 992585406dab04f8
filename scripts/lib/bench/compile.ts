/**
 * Load generators in C: each is a folder of sources.
 * @module
 */
import { runProgram } from "../../../tests/laboratory/program.ts";

const DIRECTORY = new URL("../../../.cache/bench/", import.meta.url).pathname;
const FLAGS = "-std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wshadow -Wconversion -Werror".split(" ");

/** The path of a generator, once it is compiled. */
export function generator(name: string): string {
  return `${DIRECTORY}${name}`;
}

/** Compiles a generator; once for a benchmark. */
export async function compileGenerator(name: string, folder: URL): Promise<void> {
  const sources = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".c"))
    .map(({ name }) => `${folder.pathname}/${name}`);
  Deno.mkdirSync(DIRECTORY, { recursive: true });
  // Another benchmark may be running the old one.
  const fresh = `${generator(name)}.${Deno.pid}`;
  await runProgram(["gcc", ...FLAGS, "-o", fresh, ...sources], { timeoutMs: 60_000 });
  Deno.renameSync(fresh, generator(name));
}
