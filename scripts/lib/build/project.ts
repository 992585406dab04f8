/**
 * Paths of the project: sources and products.
 * @module
 */
import type { Target } from "./target.ts";

/** Absolute path of the project, without a slash at the end. */
export const PROJECT: string = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
/** Version of the program, from deno.json. */
export const VERSION: string = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`)).version;
/** The executables by their bundles: all commands, and the one that ffi/launcher/main.c starts for `run`. */
export const ENTRIES = { "tproxy.js": "src/cli/entry.ts", "run.js": "src/cli/run_entry.ts" } as const;

/** The single file that unpacks itself. */
export function productPath({ arch }: Target): string {
  return `${PROJECT}/dist/tproxy-${arch}`;
}

/** The single file that is mounted. */
export function imagePath({ arch }: Target): string {
  return `${PROJECT}/dist/tproxy-${arch}-image`;
}

/** The tree for packages. */
export function installedPath({ arch }: Target): string {
  return `${PROJECT}/dist/installed-${arch}`;
}
