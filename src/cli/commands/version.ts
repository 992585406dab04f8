/**
 * `tproxy version`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag } from "@optique/core/primitives";
import { formatVersion, readBuildInfo } from "../build_info.ts";
import { HANDOVER_PROTOCOL } from "../../constants.ts";
import type { Command } from "../command.ts";

const parser = object({
  json: optional(
    flag("--json", { description: message`Print a JSON object: version, commit, architecture.` }),
  ),
});

/** The command. */
export const versionCommand: Command<InferValue<typeof parser>> = {
  name: "version",
  summary: "Print the version of this program, its commit and its architecture",
  changesState: false,
  parser,
  run(env, options) {
    const info = readBuildInfo(env.readTextFile);
    env.stdout(
      `${
        options.json === true ? JSON.stringify({ ...info, handover: HANDOVER_PROTOCOL }) : formatVersion(info)
      }\n`,
    );
    return 0;
  },
};
