/**
 * The commands, in the order in which help lists them. Each is loaded only when it is asked for: `tproxy
 * status` on a small router does not wait for the YAML parser.
 * @module
 */
import type { AnyCommand, Commands } from "./command.ts";

/** Loaders by name. A test keeps the names the same as those in the commands. */
export const COMMANDS: Readonly<Record<string, () => Promise<AnyCommand>>> = {
  install: async () => (await import("./commands/install.ts")).installCommand,
  confirm: async () => (await import("./commands/confirm.ts")).confirmCommand,
  uninstall: async () => (await import("./commands/uninstall.ts")).uninstallCommand,
  status: async () => (await import("./commands/status.ts")).statusCommand,
  connections: async () => (await import("./commands/connections.ts")).connectionsCommand,
  run: async () => (await import("./commands/run.ts")).runCommand,
  reload: async () => (await import("./commands/reload.ts")).reloadCommand,
  upgrade: async () => (await import("./commands/upgrade.ts")).upgradeCommand,
  metrics: async () => (await import("./commands/metrics.ts")).metricsCommand,
  doctor: async () => (await import("./commands/doctor.ts")).doctorCommand,
  selftest: async () => (await import("./commands/selftest.ts")).selftestCommand,
  nc: async () => (await import("./commands/nc.ts")).ncCommand,
  redirect: async () => (await import("./commands/redirect.ts")).redirectCommand,
  explain: async () => (await import("./commands/explain.ts")).explainCommand,
  check: async () => (await import("./commands/check.ts")).checkCommand,
  config: async () => (await import("./commands/config.ts")).configCommand,
  completion: async () => (await import("./commands/completion.ts")).completionCommand,
  man: async () => (await import("./commands/man.ts")).manCommand,
  version: async () => (await import("./commands/version.ts")).versionCommand,
  licenses: async () => (await import("./commands/licenses.ts")).licensesCommand,
  help: async () => (await import("./commands/help.ts")).helpCommand,
};

/** The table, as commands see it that speak of others. */
export const TABLE: Commands = {
  names: Object.keys(COMMANDS),
  async load(name) {
    return Object.hasOwn(COMMANDS, name) ? await COMMANDS[name]() : undefined;
  },
  loadAll: loadAllCommands,
};

/** Loads all commands. */
export async function loadAllCommands(): Promise<AnyCommand[]> {
  return await Promise.all(Object.values(COMMANDS).map((load) => load()));
}
