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
import { uninstall } from "../../kernel/backends.ts";
import { removeBoot, stopServices } from "../boot/remove.ts";
import type { Command } from "../command.ts";

const parser = object({
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
    "It needs no config: the table is known by its name and comment, chains of iptables by theirs, routing rules and " +
    "routes by protocol number and priority; the rules of either backend are removed. " +
    "A proxy that runs is left running, with the connections that it has accepted cut off.",
    "Where install --boot has set up a start at boot, the service manager first ends the proxy, whose connections may " +
    "take timeouts.drain to end; then its files are removed. Files of a package are left, the start at boot disabled.",
  ],
  changesState: true,
  parser,
  async run(env, { boot = "auto", force = false }) {
    const warnings = boot === "auto" ? await stopServices(env) : [];
    const { removed, left } = await uninstall(env.readTextFile);
    const started = boot === "auto" ? await removeBoot(env, { force }) : undefined;
    warnings.push(...left.map((object) => `There is ${object}; it is left alone`));
    for (const warning of [...warnings, ...started?.warnings ?? []]) {
      env.stderr(`tproxy: warning: ${warning}\n`);
    }
    const all = [...removed, ...started?.removed ?? []];
    env.stdout(
      all.length === 0
        ? "Nothing is installed.\n"
        : `Uninstalled.\n${all.map((object) => `  removed  ${object}\n`).join("")}`,
    );
    for (const command of started?.next ?? []) env.stdout(`  next     ${command}\n`);
    return 0;
  },
};
