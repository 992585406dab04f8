/**
 * `tproxy doctor`: what on this router would stop it from working, who caused it, how to mend it.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag } from "@optique/core/primitives";
import { capacity } from "../../dataplane/sizing/limits.ts";
import { readMemoryLimit } from "../../dataplane/sizing/memory_limit.ts";
import { countWorkers } from "../../dataplane/sizing/worker_count.ts";
import { diagnose } from "../../kernel/doctor/diagnose.ts";
import { systemFiles } from "../../kernel/doctor/files.ts";
import type { Command } from "../command.ts";
import { configOption, loadConfigOption } from "../config_option.ts";
import { probeSafely } from "../doctor/probe_thread.ts";
import { type DoctorReport, formatFinding, formatSummary } from "../doctor/report.ts";
import { KERNEL_TOOLS } from "../doctor/tools.ts";
import { VERSION } from "../version.ts";

const parser = object({
  config: configOption,
  json: optional(flag("--json", { description: message`Print JSON.` })),
});

/** The command. */
export const doctorCommand: Command<InferValue<typeof parser>> = {
  name: "doctor",
  summary: "Find what on this router would stop it from working",
  details: [
    "Tries what the kernel must be able to do, in objects that are thrown away, and looks for settings and programs of " +
    "this router that get in the way: each finding works, is missing, is not permitted (run it as root), or is a " +
    "warning, with its cause and what to do about it. Nothing is changed. The exit code is 0 if all that the config " +
    "needs works; what does not is marked with !, and blocks in JSON.",
    "JSON: { version, program, kernel, config, tried: namespace | router, ready, findings: [{ id, state, blocks, what, " +
    "cause, remedy }] }; ready is the exit code in words, tried says where. An id names a check; several findings may " +
    "share one.",
  ],
  examples: ["doctor", "doctor --json", "doctor -c ./tproxy.yaml"],
  changesState: false,
  parser,
  async run(env, options) {
    const loaded = await loadConfigOption(env, { path: options.config });
    const { config } = loaded;
    const release = Deno.osRelease();
    const { workers } = countWorkers(config.listener.workers, {
      processors: navigator.hardwareConcurrency,
      memory: readMemoryLimit(env.readTextFile),
    });
    let refusal = 0;
    const findings = await diagnose({
      loaded,
      files: systemFiles(env.readTextFile),
      readTextFile: env.readTextFile,
      release,
      probe: async (order) => {
        const outcome = await probeSafely(order, { url: proberUrl(), tools: KERNEL_TOOLS });
        refusal = outcome.refusal;
        return outcome.results;
      },
      capacity: (descriptors) =>
        capacity({
          descriptors,
          workers,
          connections: "auto",
          udpSessions: config.limits.udpSessions,
        }).connections,
    });
    const report: DoctorReport = {
      version: 1,
      program: VERSION,
      kernel: release,
      config: loaded.origin,
      tried: refusal === 0 ? "namespace" : "router",
      ready: findings.every(({ blocks }) => !blocks),
      findings,
    };
    env.stdout(
      options.json === true
        ? `${JSON.stringify(report, null, 2)}\n`
        : findings.map(formatFinding).join("") + formatSummary(report, refusal),
    );
    return report.ready ? 0 : 1;
  },
};

/** Beside this program: as a source file, or bundled by scripts/build. */
function proberUrl(): URL {
  return import.meta.url.endsWith(".ts")
    ? new URL("../doctor/prober.ts", import.meta.url)
    : new URL("./prober.js", import.meta.url);
}
