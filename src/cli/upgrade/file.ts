/**
 * The file of a version that is to take over: whether it is a tproxy, for this machine, that can.
 * @module
 */
import { HANDOVER_PROTOCOL } from "../../constants.ts";
import { OperationError } from "../../net/error.ts";
import { isObject, parseJson } from "../control/shape.ts";
import { askProgram } from "./ask.ts";

/** Processors by their number in ELF (e_machine). */
const MACHINES: Readonly<Record<number, string>> = { 62: "x86_64", 183: "aarch64" };
const ELF = [0x7f, 0x45, 0x4c, 0x46];
const MACHINE_AT = 18;
/** Characters of what a program says that are passed on. */
const MOST_SAID = 200;

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
export async function requireVersion({ command, args }: Program): Promise<string> {
  const { end, stdout, stderr } = await askProgram([command, ...args, "version", "--json"]);
  const told = parseJson(lastLine(stdout));
  if (end !== 0 || !isObject(told) || typeof told.version !== "string") {
    const said = lastLine(stderr) || lastLine(stdout);
    const how = end === 0 ? "" : typeof end === "number" ? `, and its exit code is ${end}` : `: ${end}`;
    throw refusal(command, `it is no tproxy: "version --json" says ${JSON.stringify(said)}${how}`);
  }
  if (told.handover !== HANDOVER_PROTOCOL) {
    const theirs = typeof told.handover === "number" ? `speaks version ${told.handover} of it` : "knows none";
    const reason = `the handover is of version ${HANDOVER_PROTOCOL} here, and ${told.version} ${theirs}`;
    throw refusal(command, `${reason}: restart instead`);
  }
  return told.version;
}

/** Cuts what is too long to be said again. */
function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)!.slice(0, MOST_SAID);
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
