/**
 * `tproxy doctor`: what on this router would stop it from working, who caused it, how to mend it.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag } from "@optique/core/primitives";
import { diagnose } from "../../doctor/diagnose.ts";
import { usesColors } from "../colors.ts";
import type { Command } from "../command.ts";
import { configOption, loadConfigOption } from "../arguments/config_option.ts";
import { prepareDiagnosis } from "../doctor/diagnosis.ts";
import { type DoctorReport, formatFinding, formatSummary } from "../doctor/report.ts";
import { OperationError } from "../../net/error.ts";
import { VERSION } from "../version.ts";

const parser = object({
  config: configOption,
  json: optional(flag("--json", { description: message`Print JSON.` })),
  report: optional(flag("--report", {
    description: message`Print one text for an issue: the findings, and all that explains them, masked.`,
  })),
});

/** The command. */
export const doctorCommand: Command<InferValue<typeof parser>> = {
  name: "doctor",
  summary: "Find what on this router would stop it from working",
  details: [
    "Tries what the kernel must be able to do, in objects that are thrown away, and looks for settings and programs of " +
    "this router that get in the way: each finding works, is missing, is not permitted (run it as root), or is a " +
    "warning, with its cause and what to do about it. Nothing is changed. The exit code is 0 if all that the config " +
    "needs works; what does not is marked with !, and blocks in JSON; a setting or a program that is in the way is headed " +
    "blocks, one that only may do harm is headed warning.",
    "With --report: one text to be put into an issue, with findings, status, each of our objects, the config in effect, policy " +
    "routing and the firewall rules of others, as far as doctor reads them. What tells who you are is masked; the rules of " +
    "that stand at its top.",
    "JSON: { version, program, kernel, config, tried: namespace | router, ready, findings: [{ id, state, blocks, what, " +
    "cause, remedy, part?, also? }] }; ready is the exit code in words, tried says where. An id names a check; several " +
    "findings may share one. part: { module?, config?, openWrtPackage? } is what the kernel lacks, also the ids of what " +
    "else does not work for that reason.",
  ],
  examples: ["doctor", "doctor --json", "doctor --report > report.txt", "doctor -c ./tproxy.yaml"],
  changesState: false,
  parser,
  async run(env, { config: path, json, report: wholeReport }) {
    if (json === true && wholeReport === true) {
      throw new OperationError({
        operation: "write",
        object: "a report",
        reason: "--report is a text, --json is for programs",
        usage: true,
      });
    }
    const loaded = await loadConfigOption(env, { path });
    const options = prepareDiagnosis(env, loaded);
    const findings = await diagnose(options);
    const refusal = options.refusal();
    const report: DoctorReport = {
      version: 1,
      program: VERSION,
      kernel: options.release,
      config: loaded.origin,
      tried: refusal === 0 ? "namespace" : "router",
      ready: findings.every(({ blocks }) => !blocks),
      findings,
    };
    if (wholeReport === true) {
      const { writeReport } = await import("../issue/report.ts");
      env.stdout(await writeReport(env, { loaded, path, report, refusal }));
      return report.ready ? 0 : 1;
    }
    const color = usesColors(env);
    env.stdout(
      json === true
        ? `${JSON.stringify(report, null, 2)}\n`
        : findings.map((finding) => formatFinding(finding, color)).join("") +
          formatSummary(report, refusal, color),
    );
    return report.ready ? 0 : 1;
  },
};
