/**
 * `install --confirm`: the install as a trial.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import { formatDuration } from "../../config/values/duration.ts";
import type { InstallReport } from "../../kernel/backend/backend.ts";
import type { Plan } from "../../kernel/plan/model.ts";
import { beginTrial, watchTrial } from "../../kernel/trials.ts";
import type { BootOptions } from "../boot/install.ts";
import { namedConfig } from "../boot/settings.ts";
import type { Env } from "../env.ts";
import { countDown } from "./countdown.ts";
import { fingerprint } from "./fingerprint.ts";
import { sshSession } from "./session.ts";

/** Begins the trial. Throws an OperationError; then nothing has changed. */
export async function installOnTrial(
  env: Env,
  { plan, loaded }: { readonly plan: Plan; readonly loaded: LoadedConfig },
  { timeoutMs, options }: { readonly timeoutMs: number; readonly options: BootOptions },
): Promise<InstallReport> {
  const config = namedConfig(env, options.config);
  const session = sshSession(env);
  const origin = {
    ...(config === undefined ? {} : { config }),
    fingerprint: await fingerprint(loaded),
    ...(options.boot === undefined ? {} : { boot: options.boot }),
    force: options.force === true,
    ...(session === undefined ? {} : { session }),
  };
  const wanted = { plan, config: loaded.config };
  const report = await beginTrial(wanted, env.readTextFile, { timeoutMs, origin });
  // Any command tidies up; this one changes nothing else.
  watchTrial([env.self.command, ...env.self.args, "status"], timeoutMs);
  return report;
}

/** The first line of the report. */
export function describeTrial({ replaced }: InstallReport, timeoutMs: number): string {
  const former = replaced ? "the earlier install holds again" : "it is gone";
  return `On trial for ${formatDuration(timeoutMs)}: after that ${former}, unless it is confirmed.`;
}

/** Says how it is kept; on a terminal counts the seconds. Returns the exit code. */
export async function followTrial(env: Env, { boot }: BootOptions): Promise<number> {
  const also = boot === undefined || boot === "none" ? "" : "; that sets up the start at boot too";
  env.stdout(`To keep it, from a new connection: tproxy confirm${also}\n`);
  return env.stdoutIsTerminal ? await countDown(env) : 0;
}
