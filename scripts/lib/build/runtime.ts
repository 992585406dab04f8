/**
 * The runtime: Deno and what it needs of the system.
 * @module
 */
import type { LayerFile } from "./layer.ts";
import { giveUp, run } from "./run.ts";

/** Deno, and the C library and loader of this machine that it needs. */
export function runtimeFiles(): LayerFile[] {
  const deno = Deno.execPath();
  const files = [{ name: "deno", mode: 0o755, content: Deno.readFileSync(deno) }];
  for (const line of run("ldd", [deno]).split("\n")) {
    const library = /^\s*(\S+) => (\/\S+) \(0x/.exec(line);
    const loader = /^\s*(\/\S*\/ld-linux\S+) \(0x/.exec(line);
    if (library) files.push({ name: library[1], mode: 0o644, content: Deno.readFileSync(library[2]) });
    // The name of the loader's file is the name of the process.
    if (loader) files.push({ name: "tproxy", mode: 0o755, content: Deno.readFileSync(loader[1]) });
    if (line.includes("not found")) giveUp(`Deno misses a library here: ${line.trim()}`);
  }
  if (!files.some((file) => file.name === "tproxy")) giveUp(`ldd names no loader for ${deno}`);
  return files;
}
