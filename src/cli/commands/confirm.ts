/**
 * `tproxy confirm`: keeps an install that is on trial.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag } from "@optique/core/primitives";
import { backendOf } from "../../kernel/backends.ts";
import type { TrialNote } from "../../kernel/trial/note.ts";
import { confirmTrial, requireTrial } from "../../kernel/trials.ts";
import { preparePlan } from "../../kernel/prepare.ts";
import { OperationError } from "../../net/error.ts";
import { describeBoot } from "../boot/describe.ts";
import { prepareBoot, warnOfBoot, withBoot } from "../boot/install.ts";
import type { BootChoice } from "../boot/plan.ts";
import type { Command } from "../command.ts";
import { loadConfigOption } from "../arguments/config_option.ts";
import type { Env } from "../env.ts";
import { findHolder, placesOf } from "../status/proxy.ts";
import { fingerprint } from "../trial/fingerprint.ts";
import { sshSession } from "../trial/session.ts";

const parser = object({
  force: optional(flag("--force", {
    description: message`Confirm from the SSH session of the install too.`,
  })),
});

/** The command. */
export const confirmCommand: Command<InferValue<typeof parser>> = {
  name: "confirm",
  summary: "Keep an install that is on trial (install --confirm)",
  details: [
    "It is to be run from a new connection: flows that exist go on untouched by an install, so the SSH session of the " +
    "install proves nothing, and is refused. A console is as good as a new connection.",
    "The rules become an install in one step, and the start at boot that install --boot was asked for is set up. Where " +
    "the trial is over, or the config has changed since, nothing happens, and the exit code is 1.",
  ],
  examples: ["confirm", "confirm --force"],
  changesState: true,
  parser,
  async run(env, { force = false }) {
    const { origin } = await requireTrial();
    if (!force) refuseSameSession(env, origin);
    const loaded = await loadConfigOption(env, { path: origin.config, user: "install" });
    if (await fingerprint(loaded) !== origin.fingerprint) {
      throw refusal("the config has changed since the trial began", 'Run "tproxy install" again');
    }
    const options = {
      config: origin.config,
      boot: origin.boot as BootChoice | undefined,
      force: origin.force,
    };
    const { config } = loaded;
    const plan = preparePlan(loaded, env.readTextFile);
    const boot = prepareBoot(env, loaded, options);
    const { families, intent: { scope: { admission } } } = plan;
    const tellProxy = backendOf(config).rememberLife({ config, families, admission });
    const { place } = await withBoot(env, boot, () => confirmTrial({ plan, config }));
    tellProxy();
    env.stdout(`Confirmed: the install stays (${place}).\n`);
    warnOfBoot(env, boot, options);
    if (boot !== undefined) {
      const holder = await findHolder(env, { ...placesOf(config), families });
      env.stdout(describeBoot(boot, { running: holder?.ours === true }));
    }
    return 0;
  },
};

/** Throws where this is the session that would have lived on without any new connection. */
function refuseSameSession(env: Env, { session }: TrialNote["origin"]): void {
  if (session === undefined || session !== sshSession(env)) return;
  throw refusal(
    "this is the SSH session of the install, which goes on whatever the rules do to new connections",
    "Open a new connection and confirm there, or use --force",
  );
}

function refusal(reason: string, hint: string): OperationError {
  return new OperationError({ operation: "confirm", object: "install", reason, hint });
}
