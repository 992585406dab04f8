/**
 * `tproxy run`: the proxy, in the foreground, with its log on stderr.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import { RESTART_KEYS } from "../../daemon/reload/changes.ts";
import { runDaemon } from "../../daemon/daemon.ts";
import { openConfigFiles } from "../../daemon/privileges/file_server.ts";
import { Privileges } from "../../daemon/privileges/privileges.ts";
import { TAKES_OUTPUT, TAKES_OVER } from "../../constants.ts";
import type { Command } from "../command.ts";
import { configFileOption } from "../arguments/config_option.ts";
import { readBuildInfo } from "../build_info.ts";
import { VERSION } from "../version.ts";

const parser = object({
  config: configFileOption,
  install: optional(flag("--install", {
    description:
      message`Install too, as soon as the network allows it, and keep the rules right: for service managers.`,
  })),
  user: optional(option("--user", string({ metavar: "USER" }), {
    description: message`Started by root: become this user. Without it: tproxy if there is one, else 65080.`,
  })),
  privileges: optional(option("--privileges", choice(["drop", "keep"]), {
    description:
      message`drop: give up all power that it does not need (default where root starts it); keep: stay what it was started as.`,
  })),
});

/** The command. */
export const runCommand: Command<InferValue<typeof parser>> = {
  name: "run",
  summary: "Run the proxy in the foreground, with its log on stderr",
  details: [
    "On SIGTERM or SIGINT it accepts nothing new, lets live connections end within timeouts.drain, and exits with 0; " +
    "a second signal resets them at once.",
    "On SIGHUP it reads its config again: the workers take over settings and rules between two connections, none is cut, and the " +
    "rules in the kernel follow where they are those of the config before. A config with errors changes nothing and is said with " +
    "its line, in the log and in `systemctl status`. Only a restart takes over: " +
    `${RESTART_KEYS.join(", ")}; a reload that finds one of them changed changes nothing, and says so.`,
    "Started by root it becomes another user (--user) with CAP_NET_RAW and CAP_NET_BIND_SERVICE, writes to " +
    "/run/tproxy alone and starts no program; a process beside it (tproxy-netlink) changes the kernel's rules for it, and nothing of " +
    "others'; files of root's that its config names word for word are opened for it, at a reload " +
    "too. Its log and status say what is in force. It stays root with --privileges keep, --user root, and kernel.backend: iptables.",
    "It watches the network: where the rules are those of this config, it adds interfaces that come and takes away those that go, " +
    "and follows default routes that move (intercept.interfaces: auto). Without --install it never makes the first install. " +
    "The rules stay when it ends; those that an uninstall has removed stay away.",
    "Started by systemd (Type=notify) it says when it is ready, feeds the watchdog as long as every worker turns, and shows what it " +
    "does in `systemctl status`.",
  ],
  examples: ["run", "run --install", "run -c /etc/tproxy/tproxy.yaml"],
  changesState: true,
  parser,
  async run(env, options) {
    const privileges = new Privileges(Deno.env);
    await runDaemon({
      source: {
        path: options.config,
        ...openConfigFiles(privileges.files, { readTextFile: env.readTextFile }),
      },
      privileges,
      installs: options.install === true,
      version: VERSION,
      commit: readBuildInfo(env.readTextFile).commit,
      workerUrl: workerUrl(),
      takesOver: takeVariable(TAKES_OVER),
      takesOutput: takeVariable(TAKES_OUTPUT) !== undefined,
      findObstacles: async (loaded) => {
        const { findObstacles }: typeof import("../doctor/obstacles.ts") = await import(obstaclesUrl().href);
        return await findObstacles(env, loaded);
      },
      style: { journal: env.stderrIsJournal, now: env.now },
    });
    return 0;
  },
};

/** Reads a variable of the environment, which is for this process alone. */
function takeVariable(name: string): string | undefined {
  const value = Deno.env.get(name);
  Deno.env.delete(name);
  return value;
}

/** A file of its own: most proxies never need doctor, and Deno keeps the text of what it may import. */
function obstaclesUrl(): URL {
  return import.meta.url.endsWith(".ts")
    ? new URL("../doctor/obstacles.ts", import.meta.url)
    : new URL("./obstacles.js", import.meta.url);
}

/** Beside this program: as a source file, or bundled by scripts/build. */
function workerUrl(): URL {
  return import.meta.url.endsWith(".ts")
    ? new URL("../../dataplane/worker.ts", import.meta.url)
    : new URL("./worker.js", import.meta.url);
}
