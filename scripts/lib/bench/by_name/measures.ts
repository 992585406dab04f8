/**
 * The measures by name, taken with load/ between client and server.
 * @module
 */
import type { Lab } from "../../../../tests/laboratory/lab.ts";
import { processorMs, residentBytes } from "../../../../tests/laboratory/machine/procfs.ts";
import { delay } from "../../../../tests/laboratory/machine/wait.ts";
import type { Sample, TurnOptions } from "../suite.ts";
import { count, greet } from "./load.ts";

const FLOWS = 64;
/** Of each protocol. */
const GREETINGS = 300;
/** Ports of servers that speak first. */
const GREETERS = { ssh: 22, smtp: 25, mysql: 3306 } as const;

/**
 * The measures, by name: new `connections`/s with a hello of one segment, and of a `browser`, two;
 * `requests`/s over connections that stay; `up` and `down` in Gbit/s, client to server and back; `greetings`:
 * ms from a SYN to the first byte of servers that speak first (`ssh.median`, `ssh.p99` and so on); resident
 * `memory` of the proxy at the end, MiB; `perConnection`: processor time of the proxy for each of
 * `connections`, µs.
 */
export const BY_NAME_MEASURES = [
  "connections",
  "browser",
  "requests",
  "up",
  "down",
  "greetings",
  "memory",
  "perConnection",
] as const;

/** Measures what `only` names; `pid`: the proxy, if there is one; `port`: see {@linkcode count}. */
export async function measureByName(
  lab: Lab,
  { pid, seconds, only, port }: TurnOptions & { pid: number | undefined; port?: number },
): Promise<Sample> {
  const load = { seconds, ...(port === undefined ? {} : { port }) };
  const wants = (name: typeof BY_NAME_MEASURES[number]) => only === undefined || only.includes(name);
  const sample: Sample = {};
  if (wants("connections") || wants("perConnection")) {
    const before = pid === undefined ? 0 : processorMs(pid);
    const { count: made, seconds: taken } = await count(lab, "connections", { flows: FLOWS, ...load });
    sample.connections = made / taken;
    if (pid !== undefined) sample.perConnection = (processorMs(pid) - before) * 1e3 / made;
    await delay(200);
  }
  if (wants("browser")) {
    sample.browser = await rate(lab, "connections", { hello: "chromium", flows: FLOWS, ...load });
  }
  if (wants("requests")) sample.requests = await rate(lab, "requests", { flows: FLOWS, ...load });
  if (wants("up")) sample.up = await rate(lab, "upload", load) * 8 / 1e9;
  if (wants("down")) sample.down = await rate(lab, "download", load) * 8 / 1e9;
  if (wants("greetings")) {
    for (const [name, port] of Object.entries(GREETERS)) {
      const { median, p99 } = await greet(lab, port, { flows: GREETINGS, seconds });
      sample[`${name}.median`] = median * 1e3;
      sample[`${name}.p99`] = p99 * 1e3;
    }
  }
  if (pid !== undefined) sample.memory = residentBytes(pid) / (1 << 20);
  return sample;
}

async function rate(
  lab: Lab,
  role: Parameters<typeof count>[1],
  options: Parameters<typeof count>[2],
): Promise<number> {
  const { count: counted, seconds } = await count(lab, role, options);
  await delay(200);
  return counted / seconds;
}
