/**
 * `tproxy check [FILE]`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument } from "@optique/core/primitives";
import { OperationError } from "../../net/error.ts";
import type { Command } from "../command.ts";
import { configOption, configSource, filePath } from "../arguments/config_option.ts";

const parser = object({
  config: configOption,
  file: optional(argument(filePath(), {
    description:
      message`Config to check; -: standard input. Without it: /etc/tproxy/tproxy.yaml if it is there, else built-in defaults.`,
  })),
});

/** The command. */
export const checkCommand: Command<InferValue<typeof parser>> = {
  name: "check",
  summary: "Validate a config and print what is in effect",
  details: [
    "All errors are listed, as FILE:LINE:COLUMN with the bad value and what is expected there; the exit code is 2.",
    "What is valid but not supported by this version yet is an error where install and run refuse it, else a warning.",
  ],
  examples: ["check", "check ./tproxy.yaml", "check -c ./tproxy.yaml", "check - < ./tproxy.yaml"],
  changesState: false,
  parser,
  async run(env, { config, file: named }) {
    if (config !== undefined && named !== undefined) {
      throw new OperationError({
        operation: "check",
        object: named,
        reason: "the option -c names another file already",
        usage: true,
      });
    }
    const file = named ?? config;
    const { loadConfig } = await import("../../config/load.ts");
    const { listUnsupported } = await import("../../config/support.ts");
    const { describeConfig } = await import("../../config/describe.ts");
    const { formatProblem } = await import("../../config/error.ts");
    const loaded = loadConfig(configSource(env, file));
    const problems = listUnsupported(loaded);
    for (const problem of problems) {
      const [word, refused] = problem.refusedBy.length === 0
        ? ["warning", ""]
        : ["error", ` (refused by ${problem.refusedBy.join(" and ")})`];
      env.stderr(`${word}: ${formatProblem(loaded.origin, problem)}${refused}\n`);
    }
    const { reportFiles } = await import("../check/files.ts");
    const { adviseOn } = await import("../../policy/advice/advice.ts");
    for (const { path, text } of adviseOn(loaded.config)) {
      const place = loaded.locate(path) ?? { line: 0, column: 0 };
      env.stderr(`warning: ${formatProblem(loaded.origin, { ...place, text })}\n`);
    }
    const isRefused = problems.some(({ refusedBy }) => refusedBy.length > 0);
    const lists = isRefused ? [] : reportFiles(loaded);
    const lines = describeConfig(loaded.config);
    const width = Math.max(...lines.map(([key]) => key.length)) + 2;
    const verdict = isRefused ? "not supported by this version. It would have in effect" : "valid. In effect";
    env.stdout(`${loaded.origin}: ${verdict}:\n`);
    env.stdout(lines.map(([key, text]) => `  ${key.padEnd(width)}${text}\n`).join(""));
    env.stdout(lists.map((line) => `  ${line}\n`).join(""));
    return isRefused ? 2 : 0;
  },
};
