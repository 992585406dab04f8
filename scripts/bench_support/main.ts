/**
 * `scripts/bench`: rounds in which the contestants take turns, then medians.
 * @module
 */
import { parseArgs } from "node:util";
import { ADDRESSES, type Lab, openLab } from "../../tests/lab/support/lab.ts";
import { startNginx } from "../../tests/lab/support/nginx.ts";
import { type Contestant, CONTESTANTS } from "./contestants.ts";
import { type Measure, measure, type Sample } from "./measures.ts";
import { formatTable, judge, type Results, summarize } from "./table.ts";

const USAGE =
  `Usage: scripts/bench [--rounds N] [--seconds N] [--quick] [--only NAMES] [--measures NAMES] [--json]
  --rounds N        rounds; in each the contestants take turns (5)
  --seconds N       duration of each measurement (5)
  --quick           one round of 2 seconds, under a minute
  --only NAMES      of forwarding, haproxy, "haproxy, tproxy's rules", tproxy, separated by semicolons
  --measures NAMES  of up, down, requests, connections
  --json            samples and medians as JSON on standard output
Exit 1 if tproxy misses a target.`;

/** Runs the benchmark; gives the exit code. */
async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      measures: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  const seconds = Number(values.seconds ?? (values.quick ? 2 : 5));
  const contestants = CONTESTANTS.filter(({ name }) => values.only?.split(";").includes(name) ?? true);
  const only = values.measures?.split(",") as Measure[] | undefined;

  const results: Results = new Map(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another one, so that none always follows the same.
    for (let turn = 0; turn < contestants.length; turn++) {
      const contestant = contestants[(round + turn) % contestants.length];
      const sample = await runTurn(contestant, { seconds, ...(only === undefined ? {} : { only }) });
      results.get(contestant.name)!.push(sample);
      tell(`round ${round + 1}/${rounds} ${contestant.name.padEnd(23)} ${describe(sample)}`);
    }
  }
  const verdict = judge(results);
  if (values.json) {
    const entries = [...results].map(([name, samples]) => [name, { medians: summarize(samples), samples }]);
    say(JSON.stringify({ rounds, seconds, ...Object.fromEntries(entries) }, undefined, 2));
  } else {
    say(`\n${formatTable(results)}\n`);
    if (verdict !== undefined) say(verdict.lines.join("\n"));
  }
  return verdict?.held === false ? 1 : 0;
}

async function runTurn(
  contestant: Contestant,
  options: { seconds: number; only?: readonly Measure[] },
): Promise<Partial<Sample>> {
  const lab = await openLab(contestant.lab);
  try {
    await startNginx(lab, { accessLog: false });
    await lab.server.start(["iperf3", "-s"], { listens: 5201 });
    // A connection for each request uses up ports: more of them.
    await lab.client.writeSysctl({
      "net.ipv4.ip_local_port_range": "1024 65535",
      "net.ipv4.tcp_tw_reuse": 1,
    });
    const isProxy = contestant.name !== "forwarding";
    if (isProxy && await reaches(lab)) {
      throw new Error("The router forwards without a proxy: nothing would be proved");
    }
    const pid = await contestant.start(lab);
    if (!await reaches(lab)) throw new Error(`${contestant.name}: the client does not reach the server`);
    return await measure(lab, { pid, ...options });
  } catch (error) {
    for (const program of lab.programs) tell(`${program}: ${program.output.slice(-500)}`);
    throw error;
  } finally {
    await lab.close();
  }
}

async function reaches(lab: Lab): Promise<boolean> {
  const argv = ["curl", "-sfm1", "-o/dev/null", `http://${ADDRESSES[4].server}/`];
  return (await lab.client.run(argv, { mayFail: true })).code === 0;
}

function describe(sample: Partial<Sample>): string {
  return Object.entries(sample).map(([name, value]) => `${name} ${value.toPrecision(4)}`).join(", ");
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

function tell(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

Deno.exit(await main(Deno.args));
