/**
 * The measures for TCP, taken with iperf3 and wrk between client and server.
 * @module
 */
import { ADDRESSES, type Lab } from "../../../../tests/laboratory/lab.ts";
import { processorMs, residentBytes } from "../../../../tests/laboratory/machine/procfs.ts";
import { delay } from "../../../../tests/laboratory/machine/wait.ts";
import type { Sample, TurnOptions } from "../suite.ts";

/**
 * The measures, by name: `up` and `down` in Gbit/s, client to server and back; HTTP `requests`/s over
 * connections that stay; `connections`/s, each with a request of its own; resident `memory` of the proxy at
 * the end, MiB; time of `processor` that the proxy took for each GB of `up` and `down`, seconds;
 * `perConnection`: for each of `connections`, µs.
 */
export const TCP_MEASURES = [
  "up",
  "down",
  "requests",
  "connections",
  "memory",
  "processor",
  "perConnection",
] as const;

const SERVER = ADDRESSES[4].server;
const URL = `http://${SERVER}/`;

/** Measures what `only` names; `pid`: the proxy, if there is one. */
export async function measureTcp(
  lab: Lab,
  options: TurnOptions & { pid: number | undefined },
): Promise<Sample> {
  const { pid, seconds, only, concurrency } = options;
  const wants = (name: typeof TCP_MEASURES[number]) => only === undefined || only.includes(name);
  const sample: Sample = {};
  if (wants("up") || wants("down") || wants("processor")) {
    const before = pid === undefined ? 0 : processorMs(pid);
    const up = await runIperf(lab, ["-t", `${seconds}`]);
    const down = await runIperf(lab, ["-t", `${seconds}`, "-R"]);
    sample.up = up.gigabits;
    sample.down = down.gigabits;
    if (pid !== undefined) {
      sample.processor = (processorMs(pid) - before) / 1e3 / ((up.bytes + down.bytes) / 1e9);
    }
  }
  if (wants("requests")) sample.requests = await runWrk(lab, { seconds, concurrency, headers: [] });
  if (wants("connections") || wants("perConnection")) {
    const before = pid === undefined ? 0 : processorMs(pid);
    sample.connections = await runWrk(lab, { seconds, concurrency, headers: ["Connection: close"] });
    if (pid !== undefined) {
      sample.perConnection = (processorMs(pid) - before) * 1e3 / (sample.connections * seconds);
    }
  }
  if (pid !== undefined) sample.memory = residentBytes(pid) / (1 << 20);
  return sample;
}

async function runIperf(lab: Lab, flags: readonly string[]): Promise<{ gigabits: number; bytes: number }> {
  const { stdout } = await lab.client.run(["iperf3", "-J", "-c", SERVER, ...flags], { timeoutMs: 120_000 });
  const { sum_received: sum } = JSON.parse(stdout).end;
  await delay(200);
  return { gigabits: sum.bits_per_second / 1e9, bytes: sum.bytes };
}

async function runWrk(
  lab: Lab,
  options: { seconds: number; concurrency: number; headers: readonly string[] },
): Promise<number> {
  const headers = options.headers.flatMap((header) => ["-H", header]);
  const argv = ["wrk", "-t1", `-c${options.concurrency}`, `-d${options.seconds}s`, ...headers, URL];
  const { stdout } = await lab.client.run(argv, { timeoutMs: 120_000 });
  const errors = /Socket errors.*|Non-2xx.*/.exec(stdout)?.[0];
  if (errors !== undefined) throw new Error(`wrk: ${errors}`);
  await delay(200);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)![1]);
}
