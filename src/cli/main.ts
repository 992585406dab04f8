/**
 * The program: finds the command, parses its options, runs it, and turns errors into messages and exit codes.
 * @module
 */
import { OperationError } from "../net/error.ts";
import type { Env } from "./env.ts";
import type { AnyCommand, Commands } from "./command.ts";
import { report } from "./stdio/report.ts";
import { refuseUnknown } from "./arguments/unknown.ts";
import { formatVersion, readBuildInfo } from "./build_info.ts";

/** Runs the program. Returns its exit code: 0 done, 1 failed, 2 wrong usage or config, 3 no answer. */
export async function main(env: Env, commands: Commands): Promise<number> {
  try {
    return await dispatch(env, commands);
  } catch (error) {
    return report(env, await explain(env, error));
  }
}

async function dispatch(env: Env, commands: Commands): Promise<number> {
  const [name, ...rest] = env.args;
  if (name === "--version" || name === "-V") {
    env.stdout(`${formatVersion(readBuildInfo(env.readTextFile))}\n`);
    return 0;
  }
  if (name === undefined || name === "--help" || name === "-h") {
    const { formatUsage } = await import("./arguments/usage.ts");
    const usage = formatUsage(env, await commands.loadAll());
    if (name === undefined) env.stderr(usage);
    else env.stdout(usage);
    return name === undefined ? 2 : 0;
  }
  if (name === "completion" && rest.length > 1) {
    // What follows are the words to complete, whatever they look like.
    const { completeWords } = await import("./completing/complete.ts");
    return await completeWords(env, rest, commands);
  }
  const command = await commands.load(name);
  if (command === undefined) return refuseUnknown(env, name, commands.names);
  return await runCommand(env, command, rest, commands);
}

async function runCommand(
  env: Env,
  command: AnyCommand,
  args: readonly string[],
  commands: Commands,
): Promise<number> {
  const { parseOptions } = await import("./arguments/parse.ts");
  const parsed = parseOptions(env, command, args);
  if ("exitCode" in parsed) return parsed.exitCode === 2 ? command.usageCode ?? 2 : parsed.exitCode;
  return await command.run(env, parsed.options, commands);
}

/** Explains an error in the words of doctor where the kernel lacks a module. */
async function explain(env: Env, error: unknown): Promise<unknown> {
  if (!(error instanceof OperationError) || error.missingModule === "") return error;
  const { explainMissingModule } = await import("./doctor/missing_module.ts");
  return await explainMissingModule(error, env);
}
