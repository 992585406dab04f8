/**
 * The file of a version that is to take over: whether it is a tproxy, for this machine, that can.
 * @module
 */
import { HANDOVER_PROTOCOL } from "../../constants.ts";
import { OperationError } from "../../net/error.ts";
import { isObject, parseJson } from "../control/shape.ts";
import type { Env } from "../env.ts";

/** Processors by their number in ELF (e_machine). */
const MACHINES: Readonly<Record<number, string>> = { 62: "x86_64", 183: "aarch64" };
const ELF = [0x7f, 0x45, 0x4c, 0x46];
const MACHINE_AT = 18;

/** A command line, its program first. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

/** Refuses a file for another processor, which could not even say what it is. Throws an OperationError. */
export function requireProcessor(path: string): void {
  const bytes = readBegin(path);
  if (!ELF.every((byte, i) => bytes[i] === byte)) return; // a script may start one
  const machine = bytes[MACHINE_AT] | (bytes[MACHINE_AT + 1] << 8);
  if (MACHINES[machine] === Deno.build.arch) return;
  const name = MACHINES[machine] ?? `processor ${machine} of ELF`;
  throw refusal(path, `it is for ${name}, and this machine is ${Deno.build.arch}`);
}

/** Asks a program for its version; it unpacks itself for that. Throws an OperationError. */
export async function requireVersion(env: Env, { command, args }: Program): Promise<string> {
  const { code, output } = await env.runProgram([command, ...args, "version", "--json"]);
  const lines = output.trim().split("\n");
  const told = parseJson(lines.at(-1) ?? "");
  if (code !== 0 || !isObject(told) || typeof told.version !== "string") {
    throw refusal(command, `it is no tproxy: "version --json" says ${JSON.stringify(lines.at(-1) ?? "")}`);
  }
  if (told.handover !== HANDOVER_PROTOCOL) {
    const theirs = typeof told.handover === "number" ? `speaks version ${told.handover} of it` : "knows none";
    const reason = `the handover is of version ${HANDOVER_PROTOCOL} here, and ${told.version} ${theirs}`;
    throw refusal(command, `${reason}: restart instead`);
  }
  return told.version;
}

function readBegin(path: string): Uint8Array {
  const bytes = new Uint8Array(MACHINE_AT + 2);
  try {
    using file = Deno.openSync(path);
    file.readSync(bytes);
    return bytes;
  } catch (error) {
    throw refusal(path, error instanceof Error ? error.message : String(error));
  }
}

function refusal(path: string, reason: string): OperationError {
  return new OperationError({ operation: "upgrade to", object: path, reason });
}
