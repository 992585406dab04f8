/**
 * `tproxy version`.
 * @module
 */
import { object } from "@optique/core/constructs";
import type { Command } from "../command.ts";
import { VERSION } from "../version.ts";

/** The command. */
export const versionCommand: Command<Record<never, never>> = {
  name: "version",
  summary: "Print the version of this program",
  changesState: false,
  parser: object({}),
  run(env) {
    env.stdout(`tproxy ${VERSION}\n`);
    return 0;
  },
};
