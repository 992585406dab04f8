/**
 * The measures for UDP.
 * @module
 */
import type { Lab } from "../../../../tests/laboratory/lab.ts";
import { descriptorCount, processorMs, residentBytes } from "../../../../tests/laboratory/machine/procfs.ts";
import { delay } from "../../../../tests/laboratory/machine/wait.ts";
import type { Sample, TurnOptions } from "../suite.ts";
import { ping, transfer, withSessions } from "./load.ts";
import { checkPath, parseForwarded } from "./path.ts";
import type { Transferred } from "./report.ts";
import { MANY, STEADY_RATE, STEADY_STREAMS, STREAMS } from "./streams.ts";

/** Names that `--measures` takes; the measures in a sample begin with these words. */
export const UDP_MEASURES = ["saturated", "steady", "latency", "opening", "sessions"] as const;

const SESSIONS = 4_000;
/** v2ray lets some of its upstream sockets share a port; then one client gets the other's answers. */
const MAX_UNANSWERED = SESSIONS / 4;
/** Sessions before those that count, so that code and pools have grown. */
const WARM_SESSIONS = 500;
const SETTLE_MS = 1_000;
/** New sessions: how long the first exchange takes alone, and how many begin in a second. */
const OPENINGS = [{ name: "opening", count: 1_000, atOnce: 1 }, {
  name: "opening.many",
  count: 4_000,
  atOnce: MANY,
}] as const;
/** Below the ports that the kernel gives to the clients of other measures. */
const FIRST_PORT = 20_000;

/**
 * Streams and latency. A sample holds, for example, `saturated.up64.delivered`, `steady.processor`,
 * `latency.p99`.
 */
export async function measureTraffic(
  lab: Lab,
  options: TurnOptions & { pid: number | undefined },
): Promise<Sample> {
  const { pid, seconds, only } = options;
  const wants = (name: typeof UDP_MEASURES[number]) => only === undefined || only.includes(name);
  const forwarded = await countForwarded(lab);
  const counts: number[] = [];
  const sample: Sample = {};
  if (wants("latency")) {
    for (const [flows, name] of [[1, "latency"], [MANY, "latency.many"]] as const) {
      const report = await ping(lab, { flows, seconds });
      counts.push(2 * report.exchanges);
      sample[`${name}.median`] = report.median;
      sample[`${name}.p99`] = report.p99;
      sample[`${name}.lost`] = report.lost;
      sample[`${name}.exchanges`] = report.exchanges / report.seconds;
    }
  }
  if (wants("steady")) {
    const options = { pid, rate: STEADY_RATE, seconds: Math.max(1, seconds / 2) };
    counts.push(await measureStreams(lab, sample, { prefix: "steady", names: STEADY_STREAMS, ...options }));
  }
  if (wants("saturated")) {
    const names = Object.keys(STREAMS) as (keyof typeof STREAMS)[];
    counts.push(await measureStreams(lab, sample, { prefix: "saturated", names, pid, rate: 0, seconds }));
  }
  const delivered = counts.reduce((sum, count) => sum + count, 0);
  checkPath({ delivered, forwarded: await countForwarded(lab) - forwarded, isProxy: pid !== undefined });
  // Behind the check: a first datagram that asks the router is forwarded, to the end of its way.
  if (wants("opening")) Object.assign(sample, await measureOpening(lab, pid));
  return sample;
}

async function measureOpening(lab: Lab, pid: number | undefined): Promise<Sample> {
  const sample: Sample = {};
  let firstPort = FIRST_PORT;
  const open = async (wanted: { count: number; atOnce: number }) => {
    const { report } = await withSessions(lab, { ...wanted, firstPort }, () => Promise.resolve());
    firstPort += wanted.count;
    return report;
  };
  await open({ count: WARM_SESSIONS, atOnce: MANY });
  for (const { name, ...wanted } of OPENINGS) {
    const before = pid === undefined ? 0 : processorMs(pid);
    const report = await open(wanted);
    sample[`${name}.rate`] = report.sessions / report.seconds;
    sample[`${name}.median`] = report.median;
    sample[`${name}.p99`] = report.p99;
    sample[`${name}.unanswered`] = 100 * (1 - report.sessions / wanted.count);
    if (pid !== undefined) sample[`${name}.processor`] = (processorMs(pid) - before) * 1e3 / wanted.count;
  }
  return sample;
}

/** Adds the streams to the sample; gives the number of datagrams that arrived. */
async function measureStreams(
  lab: Lab,
  sample: Sample,
  options: {
    prefix: string;
    names: readonly (keyof typeof STREAMS)[];
    pid: number | undefined;
    rate: number;
    seconds: number;
  },
): Promise<number> {
  const { prefix, names, pid, rate, seconds } = options;
  const before = pid === undefined ? 0 : processorMs(pid);
  let count = 0;
  let disordered = 0;
  for (const name of names) {
    const result = await transfer(lab, { ...STREAMS[name], rate, seconds });
    count += result.count;
    disordered += result.reordered + result.duplicates;
    record(sample, `${prefix}.${name}`, result);
  }
  sample[`${prefix}.disordered`] = 1e6 * disordered / count;
  if (pid !== undefined) {
    const processorSeconds = (processorMs(pid) - before) / 1e3;
    // Seconds for a million datagrams; and how many processors it had on average, which it shares with the
    // ends.
    sample[`${prefix}.processor`] = processorSeconds / (count / 1e6);
    sample[`${prefix}.processors`] = processorSeconds / (names.length * seconds);
  }
  return count;
}

function record(sample: Sample, name: string, result: Transferred): void {
  for (const [key, value] of Object.entries(result)) if (key !== "count") sample[`${name}.${key}`] = value;
}

/** Resident memory and descriptors that each of many sessions takes up; the proxy is a fresh one. */
export async function measureSessions(lab: Lab, pid: number): Promise<Sample> {
  await ping(lab, { flows: MANY, seconds: 0.5 });
  await withSessions(lab, { count: WARM_SESSIONS }, () => Promise.resolve());
  const settled = async () => {
    await delay(SETTLE_MS);
    return { bytes: residentBytes(pid), descriptors: descriptorCount(pid) };
  };
  const before = await settled();
  const { result: after, report } = await withSessions(lab, { count: SESSIONS }, settled);
  const unanswered = SESSIONS - report.sessions;
  if (unanswered > MAX_UNANSWERED) throw new Error(`${unanswered} of ${SESSIONS} sessions had no answer`);
  return {
    "sessions.bytes": (after.bytes - before.bytes) / SESSIONS,
    "sessions.descriptors": (after.descriptors - before.descriptors) / SESSIONS,
    "sessions.unanswered": 100 * unanswered / SESSIONS,
  };
}

/** Packets that the router has forwarded so far. */
async function countForwarded(lab: Lab): Promise<number> {
  const { stdout } = await lab.router.run(["cat", "/proc/net/snmp"]);
  return parseForwarded(stdout);
}
