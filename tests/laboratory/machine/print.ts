/**
 * Text for whoever runs the tests (the lint rule against `console` is about the program).
 * @module
 */

/** Writes a line to standard error. */
export function print(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}
