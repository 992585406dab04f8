/**
 * `tproxy licenses`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { describeSource, readLicenses } from "../build_info.ts";
import type { Command } from "../command.ts";

/** The command. */
export const licensesCommand: Command<Record<never, never>> = {
  name: "licenses",
  summary: "Print what is inside this program, with versions and licenses",
  changesState: false,
  parser: object({}),
  run(env) {
    const text = readLicenses(env.readTextFile);
    env.stdout(text ?? describeSource(env.readTextFile));
    return 0;
  },
};
