/**
 * `scripts/bench`: rounds in which the contestants take turns, then medians.
 * @module
 */
import { parseArgs } from "node:util";
import { print } from "../../../tests/laboratory/machine/print.ts";
import { BY_NAME_SUITE } from "./by_name/suite.ts";
import { runRounds } from "./rounds.ts";
import { summarize } from "./statistics.ts";
import type { Suite, Workers } from "./suite.ts";
import { TCP_SUITE } from "./tcp/suite.ts";
import { THROUGH_SUITE } from "./through/suite.ts";
import { UDP_SUITE } from "./udp/suite.ts";

const QUICK_SECONDS = 2;
const CONCURRENCY = 64;
/** A load average from which on results are doubtful. */
const BUSY = 0.5;

const SUITES: readonly Suite[] = [TCP_SUITE, UDP_SUITE, BY_NAME_SUITE, THROUGH_SUITE];

const USAGE =
  `Usage: scripts/bench [--tcp] [--udp] [--by-name] [--through] [--rounds N] [--seconds N] [--quick] [--only NAMES] [--measures NAMES] [--json]
  --tcp, --udp, --by-name, --through   what to run; TCP if none is named
  --rounds N        rounds; in each the contestants take turns (${tellDefaults("rounds")})
  --seconds N       duration of each measurement (${tellDefaults("seconds")})
  --quick           one short round
  --only NAMES      contestants, separated by semicolons:
${SUITES.map((suite) => `                    ${suite.name}: ${namesOf(suite).join("; ")}\n`).join("")}\
  --workers N       workers of tproxy, or auto; default 1, as HAProxy has one thread
  --concurrency N   connections at once of TCP's requests and connections (default ${CONCURRENCY})
  --measures NAMES  separated by commas:
${SUITES.map((suite) => `                    ${suite.name}: ${suite.measures.join(", ")}\n`).join("")}\
  --json            samples and medians as JSON on standard output
       scripts/bench --rules [--rounds N]        flows that a rule bypasses against plain forwarding
       scripts/bench --memory [--rounds N] [--seconds N]   first start and load in cgroups of 64 to 256 MiB; the cost of workers
       scripts/bench --names [--rounds N]        lists of 200,000 and 1,000,000 names: load, memory, look-up
Exit 1 if tproxy misses a target.`;

/** Runs the benchmark; gives the exit code. */
async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      tcp: { type: "boolean", default: false },
      udp: { type: "boolean", default: false },
      "by-name": { type: "boolean", default: false },
      through: { type: "boolean", default: false },
      rounds: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      measures: { type: "string" },
      workers: { type: "string", default: "1" },
      concurrency: { type: "string", default: String(CONCURRENCY) },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const [load] = Deno.loadavg();
  if (load > BUSY) print(`Load average ${load.toFixed(1)}: others use the processors, so expect noise`);
  const asked = [values.tcp, values.udp, values["by-name"], values.through];
  const suites = asked.includes(true) ? SUITES.filter((_, index) => asked[index]) : [TCP_SUITE];
  let held = true;
  for (const suite of suites) {
    const rounds = Number(values.rounds ?? (values.quick ? 1 : suite.defaults.rounds));
    const seconds = Number(values.seconds ?? (values.quick ? QUICK_SECONDS : suite.defaults.seconds));
    const wanted = pick(values.only, ";", namesOf(suite));
    const contestants = suite.contestants.filter(({ name }) => wanted?.includes(name) ?? true);
    const only = pick(values.measures, ",", suite.measures);
    const workers: Workers = values.workers === "auto" ? "auto" : Number(values.workers);
    const concurrency = Number(values.concurrency);
    const options = {
      contestants,
      workers,
      concurrency,
      rounds,
      seconds,
      ...(only === undefined ? {} : { only }),
    };
    const results = await runRounds(suite, options);
    const verdict = suite.judge(results);
    held &&= verdict?.held ?? true;
    if (values.json) {
      const entries = [...results].map(([name, samples]) => [name, { medians: summarize(samples), samples }]);
      say(
        JSON.stringify({ suite: suite.name, rounds, seconds, ...Object.fromEntries(entries) }, undefined, 2),
      );
    } else {
      say(`\n${suite.format(results)}\n`);
      if (verdict !== undefined) say(verdict.lines.join("\n"));
    }
  }
  return held ? 0 : 1;
}

function tellDefaults(key: keyof Suite["defaults"]): string {
  return SUITES.map(({ name, defaults }) => `${name} ${defaults[key]}`).join(", ");
}

function namesOf(suite: Suite): string[] {
  return suite.contestants.map(({ name }) => name);
}

/** The names that the user chose; throws for one that nobody has. */
function pick(text: string | undefined, separator: string, names: readonly string[]): string[] | undefined {
  const chosen = text?.split(separator).map((name) => name.trim());
  const unknown = chosen?.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`Unknown name "${unknown}", not one of: ${names.join(", ")}`);
  return chosen;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

Deno.exit(await main(Deno.args));
