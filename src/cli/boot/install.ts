/**
 * The start at boot as a part of `install`: it is planned first, and taken back where the kernel refuses the
 * rest.
 * @module
 */
import type { Argv } from "../../boot/model.ts";
import { renderBootScript } from "../../boot/script.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { OperationError } from "../../net/error.ts";
import type { Env } from "../env.ts";
import { applyBoot } from "./apply.ts";
import { type BootChoice, type BootPlan, planBoot } from "./plan.ts";
import { describeVolatileCache, namedConfig } from "./settings.ts";
import { findBoot } from "./state.ts";
import { describeOther } from "./status.ts";

/** The options of `install` that matter here. */
export interface BootOptions {
  readonly config?: string | undefined;
  readonly boot?: BootChoice | undefined;
  readonly force?: boolean | undefined;
}

/**
 * Plans the start at boot that `--boot` asks for; undefined: it asks for none. Throws an OperationError where
 * that start is impossible, before anything has changed.
 */
export function prepareBoot(env: Env, loaded: LoadedConfig, options: BootOptions): BootPlan | undefined {
  const { boot: choice = "none", force = false } = options;
  if (choice !== "none") {
    return planBoot(env, { loaded, choice, config: namedConfig(env, options.config), force });
  }
  if (!force) return undefined;
  throw new OperationError({
    operation: "use option",
    object: "--force",
    reason: "it is for --boot",
    usage: true,
  });
}

/** Sets up the start at boot, then does the work. Where either fails, the start at boot is as before. */
export async function withBoot<T>(env: Env, plan: BootPlan | undefined, work: () => Promise<T>): Promise<T> {
  if (plan === undefined) return await work();
  const undo = await applyBoot(env, plan);
  try {
    return await work();
  } catch (error) {
    await undo();
    throw error;
  }
}

/** Warns of what the administrator would find out at the next boot only. */
export function warnOfBoot(env: Env, plan: BootPlan | undefined, options: BootOptions): void {
  if (plan !== undefined) {
    const warning = describeVolatileCache(env, plan.settings);
    if (warning !== undefined) env.stderr(`tproxy: warning: ${warning}\n`);
    return;
  }
  const config = namedConfig(env, options.config);
  for (const { manager, service } of findBoot(env)) {
    const other = service?.seal && describeOther(service.seal.settings, config);
    if (other === undefined) continue;
    const named = config === undefined ? "" : ` -c ${config}`;
    env.stderr(
      `tproxy: warning: ${service!.path} is left as it is: ${other} at boot; ` +
        `"tproxy install --boot ${manager.name}${named}" changes that\n`,
    );
  }
}

/** The same as commands of a shell. */
export function renderBoot({ files, manager, live }: BootPlan): string {
  return renderBootScript(files, commandsOf({ manager, live }));
}

/** The same for JSON. */
export function bootDocument({ files, manager, live }: BootPlan): unknown {
  return {
    manager: manager.name,
    files: files.map(({ path, mode, text }) => ({ path, mode: mode.toString(8).padStart(4, "0"), text })),
    commands: commandsOf({ manager, live }),
  };
}

function commandsOf({ manager, live }: Pick<BootPlan, "manager" | "live">): Argv[] {
  return [...(live ? manager.reload : []), manager.enable];
}
