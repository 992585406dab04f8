/**
 * `tproxy uninstall`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { resumeEarlyDemux } from "../../dataplane/sockets/early_demux.ts";
import { OperationError } from "../../net/error.ts";
import { uninstall } from "../../kernel/backends.ts";
import { forgetTrial } from "../../kernel/trials.ts";
import { configOption, configSource } from "../arguments/config_option.ts";
import { removeBoot, stopServices } from "../boot/remove.ts";
import type { Command } from "../command.ts";
import type { Env } from "../env.ts";
import { findHolder, placesOf, type PortHolder } from "../status/proxy.ts";

const parser = object({
  config: configOption,
  boot: optional(option("--boot", choice(["auto", "none"], { metavar: "auto|none" }), {
    description:
      message`none: leave the start at boot as it is, and only take out what is in the kernel; auto (default): end it.`,
  })),
  force: optional(flag("--force", {
    description: message`Remove files of the start at boot that have been changed by hand, too.`,
  })),
});

/** The command. */
export const uninstallCommand: Command<InferValue<typeof parser>> = {
  name: "uninstall",
  summary: "Remove exactly what install added, and nothing else",
  details: [
    "It needs no config (-c is taken, for whom it is a habit): the table is known by its name and comment, chains of iptables by theirs, routing rules and " +
    "routes by protocol number and priority; the rules of either backend are removed. " +
    "A proxy that runs is left running, with the connections that it has accepted cut off.",
    "Where install --boot has set up a start at boot, the service manager first ends the proxy, whose connections may " +
    "take timeouts.drain to end; then its files are removed. Files of a package are left, the start at boot disabled.",
  ],
  changesState: true,
  parser,
  async run(env, { config, boot = "auto", force = false }) {
    const proxy = await findProxy(env, config);
    const warnings = boot === "auto" ? await stopServices(env) : [];
    const { removed, left } = await uninstall(env.readTextFile);
    forgetTrial();
    const sysctl = resumeEarlyDemux();
    const started = boot === "auto" ? await removeBoot(env, { force }) : undefined;
    warnings.push(...left.map((object) => `There is ${object}; it is left alone`));
    if (sysctl?.failure !== undefined) warnings.push(`sysctl -w ${sysctl.set}: ${sysctl.failure}`);
    for (const warning of [...warnings, ...started?.warnings ?? []]) {
      env.stderr(`tproxy: warning: ${warning}\n`);
    }
    const set = sysctl === undefined || sysctl.failure !== undefined ? [] : [sysctl.set];
    const all = [
      ...removed,
      ...set.map((sysctl) => `what a proxy that was killed has left: ${sysctl} again`),
      ...started?.removed ?? [],
    ];
    env.stdout(
      all.length === 0
        ? "Nothing is installed.\n"
        : `Uninstalled.\n${all.map((object) => `  removed  ${object}\n`).join("")}`,
    );
    if (proxy !== undefined && removed.length > 0) env.stderr(describeCut(proxy));
    for (const command of started?.next ?? []) env.stdout(`  next     ${command}\n`);
    return 0;
  },
};

/** Finds the proxy that runs; a config that cannot be read does not keep anybody from an uninstall. */
async function findProxy(env: Env, path: string | undefined): Promise<PortHolder | undefined> {
  const { loadConfig } = await import("../../config/load.ts");
  const { ConfigError } = await import("../../config/error.ts");
  const { DEFAULT_CONFIG } = await import("../../config/defaults.ts");
  let config = DEFAULT_CONFIG;
  try {
    ({ config } = loadConfig(configSource(env, path)));
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof OperationError)) throw error;
  }
  const holder = await findHolder(env, placesOf(config));
  return holder?.ours === true ? holder : undefined;
}

function describeCut({ pid, state }: PortHolder): string {
  const what = state === undefined
    ? "the connections that it has accepted are"
    : `its ${state.connections} connections and ${state.udpSessions} UDP sessions are`;
  return `tproxy: warning: the proxy that runs (pid ${pid}) gets nothing any more, and ${what} cut off\n`;
}
