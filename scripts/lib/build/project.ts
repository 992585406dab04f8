/**
 * Paths of the project: sources and products.
 * @module
 */
import type { Target } from "./target.ts";

/** Absolute path of the project, without a slash at the end. */
export const PROJECT: string = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
/** Version of the program, from deno.json. */
export const VERSION: string = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`)).version;
/** The executable of the program. */
export const ENTRY = "src/cli/entry.ts";

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
