/**
 * What is built, where.
 * @module
 */

/** Absolute path of the project, without a slash at the end. */
export const PROJECT: string = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
/** The product. */
export const PRODUCT: string = `${PROJECT}/dist/tproxy`;
/** What is built, until it has shown that it runs. */
export const UNPROVED: string = `${PRODUCT}.new`;
/** Version of the program, from deno.json. */
export const VERSION: string = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`)).version;
/** The executable of the program. */
export const ENTRY = "src/cli/entry.ts";
