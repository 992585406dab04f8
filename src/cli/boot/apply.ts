/**
 * Writes boot files and asks for a start at boot: all of it, or nothing.
 * @module
 */
import type { Argv } from "../../boot/model.ts";
import { OperationError } from "../../net/error.ts";
import type { Env } from "../env.ts";
import type { BootPlan } from "./plan.ts";

/** Takes back what has been done. */
export type Undo = () => Promise<void>;

/** Does what the plan says. Throws an OperationError; then all is as before. */
export async function applyBoot(env: Env, plan: BootPlan): Promise<Undo> {
  const { manager, live } = plan;
  const undoing: Undo[] = [];
  const undo = async () => {
    for (const step of undoing.splice(0).toReversed()) await step();
  };
  const rereads = live && plan.writes.length > 0 ? manager.reload : [];
  try {
    if (rereads.length > 0) undoing.push(() => runAll(env, rereads));
    for (const file of plan.writes) undoing.push(writeFile(env, file));
    for (const argv of rereads) await runOrThrow(env, argv);
    if (!plan.enabled) {
      undoing.push(async () => void await env.runProgram(manager.disable));
      await runOrThrow(env, manager.enable);
    }
  } catch (error) {
    await undo();
    throw error;
  }
  return undo;
}

function writeFile(env: Env, { path, text, mode, folders = [] }: BootPlan["writes"][number]): Undo {
  const before = env.files.read(path);
  const beforeMode = env.files.stat(path)?.mode ?? mode;
  try {
    env.files.write(path, { text, mode });
  } catch (error) {
    for (const folder of folders) env.files.removeEmptyFolder(folder);
    throw fileError("write", path, error);
  }
  return () => {
    if (before !== undefined) env.files.write(path, { text: before, mode: beforeMode });
    else {
      env.files.remove(path);
      for (const folder of folders) env.files.removeEmptyFolder(folder);
    }
    return Promise.resolve();
  };
}

/** Runs a command of a service manager. Throws an OperationError with what it said. */
async function runOrThrow(env: Env, argv: Argv): Promise<void> {
  const { code, output } = await env.runProgram(argv);
  if (code === 0) return;
  throw new OperationError({
    operation: "run",
    object: argv.join(" "),
    reason: `exit code ${code}${
      output.trim() === "" ? "" : `: ${output.trim().replaceAll(/\s*\n\s*/g, "; ")}`
    }`,
  });
}

async function runAll(env: Env, commands: readonly Argv[]): Promise<void> {
  for (const argv of commands) await env.runProgram(argv);
}

/** A failed change of a file, with the hint that most of them need. */
export function fileError(operation: string, path: string, error: unknown): OperationError {
  const reason = error instanceof Error
    ? error.message.replace(/: (open|rename|mkdir|remove) .*$/, "")
    : `${error}`;
  const denied = error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;
  return new OperationError({
    operation,
    object: path,
    reason,
    ...(denied ? { hint: "Run it as root" } : {}),
  }, { cause: error });
}
