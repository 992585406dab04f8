/**
 * Programs of this folder, as a namespace of the laboratory runs them.
 * @module
 */

const PROJECT = new URL("../../../", import.meta.url).pathname;

/** The words that start a program of this folder. */
export function scriptCommand(name: string, words: readonly string[]): string[] {
  return [
    `${PROJECT}scripts/deno`,
    "run",
    "-A",
    "--no-check",
    `${PROJECT}tests/laboratory/programs/${name}`,
    ...words,
  ];
}
