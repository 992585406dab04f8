/**
 * Questions to the person at the terminal.
 * @module
 */
import { writeStderr } from "./output.ts";

/** Asks whether to go on; anything but a yes is none. undefined: nobody is at a terminal. */
export function ask(question: string): boolean | undefined {
  if (!Deno.stdin.isTerminal()) return undefined;
  writeStderr(question);
  const buffer = new Uint8Array(256);
  const length = Deno.stdin.readSync(buffer) ?? 0;
  return /^y(es)?$/i.test(new TextDecoder().decode(buffer.subarray(0, length)).trim());
}
