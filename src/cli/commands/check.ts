/**
 * `tproxy check [FILE]`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument } from "@optique/core/primitives";
import type { Command } from "../command.ts";
import { filePath } from "../arguments/config_option.ts";

const parser = object({
  file: optional(argument(filePath(), {
    description:
      message`Config to check. Without it: /etc/tproxy/tproxy.yaml if it is there, else built-in defaults.`,
  })),
});

/** The command. */
export const checkCommand: Command<InferValue<typeof parser>> = {
  name: "check",
  summary: "Validate a config and print what is in effect",
  details: [
    "All errors are listed, as FILE:LINE:COLUMN with the bad value and what is expected there; the exit code is 2.",
    "What is valid but not supported by this version yet is listed as a warning.",
  ],
  examples: ["check", "check ./tproxy.yaml"],
  changesState: false,
  parser,
  async run(env, { file }) {
    const { loadConfig } = await import("../../config/load.ts");
    const { listUnsupported } = await import("../../config/support.ts");
    const { describeConfig } = await import("../../config/describe.ts");
    const { formatProblem } = await import("../../config/error.ts");
    const loaded = loadConfig({
      ...(file === undefined ? {} : { path: file }),
      readTextFile: env.readTextFile,
    });
    for (const problem of listUnsupported(loaded)) {
      const refused = problem.refusedBy.length === 0
        ? ""
        : ` (refused by ${problem.refusedBy.join(" and ")})`;
      env.stderr(`warning: ${formatProblem(loaded.origin, problem)}${refused}\n`);
    }
    const lines = describeConfig(loaded.config);
    const width = Math.max(...lines.map(([key]) => key.length)) + 2;
    env.stdout(`${loaded.origin}: valid. In effect:\n`);
    env.stdout(lines.map(([key, text]) => `  ${key.padEnd(width)}${text}\n`).join(""));
    return 0;
  },
};
