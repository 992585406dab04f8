/**
 * `tproxy doctor --report`: one text for an issue, masked.
 * @module
 */
import { describeConfig } from "../../config/describe.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { describeFirewalls, describeRouting } from "../../doctor/text/others.ts";
import { formatVersion, readBuildInfo } from "../build_info.ts";
import { statusCommand } from "../commands/status.ts";
import { type DoctorReport, formatFinding, formatSummary } from "../doctor/report.ts";
import type { Env } from "../env.ts";
import { listKnownWords } from "./known_words.ts";
import { describeMachine, hostNameOf } from "./machine.ts";
import { MASK_RULES, Masker } from "./masker.ts";

/** Parts of the report that are known already. */
export interface ReportFacts {
  readonly loaded: LoadedConfig;
  /** The path of the config, as the command line has it. */
  readonly path: string | undefined;
  readonly report: DoctorReport;
  /** See formatSummary(). */
  readonly refusal: number;
}

/** Writes the report. A part that cannot be read says why, in its place. */
export async function writeReport(env: Env, { loaded, path, report, refusal }: ReportFacts): Promise<string> {
  const works = report.findings.filter(({ state }) => state === "works").map(({ id }) => id);
  const sections: readonly [string, () => string | Promise<string>][] = [
    ["program", () => `${formatVersion(readBuildInfo(env.readTextFile))}\n`],
    ["machine", () => describeMachine(env)],
    [
      "config in effect",
      () => describeConfig(loaded.config).map(([key, value]) => `${key}: ${value}\n`).join(""),
    ],
    [
      "findings",
      () =>
        report.findings.filter(({ state }) => state !== "works").map((finding) => formatFinding(finding))
          .join("") +
        `works: ${[...new Set(works)].join(", ")}\n${formatSummary(report, refusal)}`,
    ],
    ["status", () => readStatus(env, path)],
    ["policy routing", describeRouting],
    ["firewalls of others", () => describeFirewalls(env.readTextFile)],
  ];
  const masker = new Masker(listKnownWords(loaded.config, hostNameOf(env)));
  const written: string[] = [];
  for (const [title, write] of sections) {
    written.push(`\n== ${title}\n${masker.mask(await orReason(write))}`);
  }
  return `tproxy doctor --report\n${MASK_RULES.join("\n")}\n${written.join("")}`;
}

/** All that `tproxy status -v` says: our objects, each rule and route, and the proxy. */
async function readStatus(env: Env, config: string | undefined): Promise<string> {
  let text = "";
  const collecting: Env = {
    ...env,
    stdout: (more) => void (text += more),
    stderr: () => {},
    stdoutIsTerminal: false,
  };
  await statusCommand.run(collecting, { config, json: undefined, verbose: true, running: undefined }, {
    names: [],
    load: () => Promise.resolve(undefined),
    loadAll: () => Promise.resolve([]),
  });
  return text;
}

async function orReason(write: () => string | Promise<string>): Promise<string> {
  try {
    return await write();
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message : error}\n`;
  }
}
