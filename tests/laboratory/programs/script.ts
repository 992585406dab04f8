/**
 * Programs of this folder, as a namespace of the laboratory runs them.
 * @module
 */

const PROJECT = new URL("../../../", import.meta.url).pathname;

/** The words that start a program of this folder; `flags` are Deno's. */
export function scriptCommand(
  name: string,
  words: readonly string[],
  flags: readonly string[] = [],
): string[] {
  return [
    `${PROJECT}scripts/deno`,
    "run",
    "-A",
    "--no-check",
    ...flags,
    `${PROJECT}tests/laboratory/programs/${name}`,
    ...words,
  ];
}

/** Deno's QUIC as server or client. `argument`: the server's key, or how many bytes the client sends. */
export function quicCommand(
  command: "serve" | "fetch",
  address: string,
  certificate: string,
  argument: string,
  port = 443,
): string[] {
  return scriptCommand("quic_program.ts", [command, address, `${port}`, certificate, argument], [
    "--unstable-net",
  ]);
}
