/**
 * `tproxy metrics`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { OperationError } from "../../net/error.ts";
import { configOption, filePath, STREAM } from "../arguments/config_option.ts";
import type { Command } from "../command.ts";
import type { Env } from "../env.ts";
import { findControl } from "../control/find.ts";

/** Collectors have a user of their own. */
const MODE = 0o644;

const parser = object({
  config: configOption,
  what: optional(argument(choice(["print", "write", "dashboard"], { metavar: "WHAT" }), {
    description:
      message`${"print"}: to standard output, as without it; ${"write"}: to FILE; ${"dashboard"}: one for Grafana.`,
  })),
  file: optional(argument(filePath(), {
    description:
      message`The file to write, whole or not at all: whoever reads it never sees a part; -: standard output.`,
  })),
});

/** The command. */
export const metricsCommand: Command<InferValue<typeof parser>> = {
  name: "metrics",
  summary: "Print the counters of a running proxy for Prometheus",
  details: [
    "The text is in Prometheus' format 0.0.4; counts are since the start of the proxy. write is for node_exporter's " +
    "textfile collector, from a timer: nothing needs to listen for it. The control socket gives the same at GET /metrics, " +
    "or OpenMetrics to those who ask for it.",
    "The exit code is 3 if no proxy answers; FILE is removed then, for a collector would go on telling of what was.",
  ],
  examples: [
    "metrics",
    "metrics write /var/lib/prometheus/node-exporter/tproxy.prom",
    "metrics dashboard > tproxy.json",
  ],
  changesState: false,
  parser,
  async run(env, { config, what = "print", file: written }) {
    if ((what === "write") !== (written !== undefined)) {
      const reason = written === undefined ? "it needs a FILE" : "only write has a FILE";
      throw new OperationError({ operation: "use metrics", object: what, reason, usage: true });
    }
    if (what === "dashboard") {
      const { formatDashboard } = await import("../../daemon/metrics/dashboard.ts");
      env.stdout(formatDashboard());
      return 0;
    }
    const file = written === STREAM ? undefined : written;
    const path = await findControl(env, config);
    const { ask, sayNoAnswer } = await import("../control/proxy.ts");
    const text = await ask(path, { method: "GET", target: "/metrics" }).catch((error) => {
      if (file !== undefined && error instanceof OperationError && error.unanswered) {
        replace(env, file, undefined);
      }
      throw error;
    });
    if (file !== undefined) replace(env, file, text);
    else if (text !== undefined) env.stdout(text);
    return text === undefined ? sayNoAnswer(env, path) : 0;
  },
};

/** Puts a text into the place of a file, or nothing. */
function replace({ cwd, files }: Env, file: string, text: string | undefined): void {
  const path = file.startsWith("/") ? file : `${cwd()}/${file}`;
  try {
    if (text === undefined) files.remove(path);
    else files.write(path, { text, mode: MODE });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperationError({ operation: "write", object: file, reason });
  }
}
