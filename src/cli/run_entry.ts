/**
 * The executable of `tproxy run`, which stays for months: it holds no text of commands that it never runs.
 * @module
 */
import type { Commands } from "./command.ts";
import { runCommand } from "./commands/run.ts";
import { main } from "./main.ts";
import { systemEnv } from "./system_env.ts";

const COMMANDS: Commands = {
  names: [runCommand.name],
  load: (name) => Promise.resolve(name === runCommand.name ? runCommand : undefined),
  loadAll: () => Promise.resolve([runCommand]),
};

if (import.meta.main) Deno.exit(await main(systemEnv(import.meta.url), COMMANDS));
