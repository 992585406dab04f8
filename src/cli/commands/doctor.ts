/**
 * `tproxy doctor`: what on this router would stop it from working, who caused it, how to mend it.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag } from "@optique/core/primitives";
import { largestCapacity } from "../../dataplane/sizing/demand.ts";
import { readMemoryLimit } from "../../dataplane/sizing/memory_limit.ts";
import { countWorkers } from "../../dataplane/sizing/worker_count.ts";
import { diagnose } from "../../doctor/diagnose.ts";
import type { ProgramPaths } from "../../doctor/machine/program.ts";
import type { Command } from "../command.ts";
import type { Env } from "../env.ts";
import { configOption, loadConfigOption } from "../arguments/config_option.ts";
import { prepareProbing } from "../doctor/probing.ts";
import { type DoctorReport, formatFinding, formatSummary } from "../doctor/report.ts";
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
    "cause, remedy, part?, also? }] }; ready is the exit code in words, tried says where. An id names a check; several " +
    "findings may share one. part: { module?, config?, openWrtPackage? } is what the kernel lacks, also the ids of what " +
    "else does not work for that reason.",
  ],
  examples: ["doctor", "doctor --json", "doctor -c ./tproxy.yaml"],
  changesState: false,
  parser,
  async run(env, options) {
    const loaded = await loadConfigOption(env, { path: options.config });
    const { config } = loaded;
    const probing = prepareProbing(env, loaded);
    const memory = readMemoryLimit(env.readTextFile);
    const processors = navigator.hardwareConcurrency;
    const { workers, reason } = countWorkers(config.listener.workers, { processors, memory });
    const findings = await diagnose({
      ...probing,
      paths: findProgram(env),
      memory: { workers, reason, memory },
      room: (descriptors) => largestCapacity(config, { descriptors, workers }),
    });
    const refusal = probing.refusal();
    const report: DoctorReport = {
      version: 1,
      program: VERSION,
      kernel: probing.release,
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

/**
 * Finds the directories into which the launcher has put the program; a program run from its sources has none.
 */
function findProgram(env: Env): ProgramPaths {
  const self = env.getenv("TPROXY_SELF");
  if (self === undefined) return {};
  const compiled = env.getenv("DENO_DIR");
  const name = env.getenv("TPROXY_CACHE_DIR") ?? self;
  return { program: { path: "/proc/self/exe", name }, ...(compiled === undefined ? {} : { compiled }) };
}
