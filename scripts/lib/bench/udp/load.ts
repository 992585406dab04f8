/**
 * Runs the load generator, udp_load/, at both ends of the laboratory.
 * @module
 */
import { ADDRESSES, type Lab } from "../../../../tests/laboratory/lab.ts";
import type { Program } from "../../../../tests/laboratory/program.ts";
import { delay } from "../../../../tests/laboratory/machine/wait.ts";
import { compileGenerator, generator } from "../compile.ts";
import { combine, type HoldReport, parseReport, type PingReport, type Transferred } from "./report.ts";
import type { Stream } from "./streams.ts";

/** A stream that is to be sent. */
export interface Transfer extends Stream {
  /** Datagrams/s; 0: as fast as the sender can. */
  readonly rate: number;
  readonly seconds: number;
}

/** Sessions that are to be opened. */
export interface Sessions {
  readonly count: number;
  /** Requests that are on their way at once; default 16. */
  readonly atOnce?: number;
  /** The first of the clients' ports, for flows that nobody has seen; default: the kernel chooses. */
  readonly firstPort?: number;
}

const PORT = 9000;
const SESSIONS_AT_ONCE = 16;
/** The bytes of a request, and of its response. */
const REQUEST_BYTES = 64;
/** Many clients do not take turns in long bursts. */
const BURSTS = { one: 32, many: 4 };
/** After the sender's end, what is on its way arrives. */
const DRAIN_MS = 200;
const NAME = "udp_load";

/** The generator, once it is compiled. */
export const PROGRAM = generator(NAME);

/** Compiles the generator; once for a benchmark. */
export function compileLoad(): Promise<void> {
  return compileGenerator(NAME, new URL("./load", import.meta.url));
}

/** Sends for a while and counts what arrives. */
export function transfer(lab: Lab, wanted: Transfer): Promise<Transferred> {
  return wanted.direction === "up" ? transferUp(lab, wanted) : transferDown(lab, wanted);
}

async function transferUp(lab: Lab, wanted: Transfer): Promise<Transferred> {
  const sink = await startServer(lab, "sink", load(wanted));
  const argv = clientCommand("send", load(wanted));
  const { stdout } = await lab.client.run(argv, { timeoutMs: 1e3 * wanted.seconds + 30_000 });
  await delay(DRAIN_MS);
  return combine(parseReport("send", stdout), parseReport("receive", await finish(sink)));
}

/** The client says hello from each socket; the server answers with the stream. */
async function transferDown(lab: Lab, wanted: Transfer): Promise<Transferred> {
  const source = await startServer(lab, "source", load(wanted));
  const pull = await lab.client.start(clientCommand("pull", load(wanted)));
  await source.waitForExit({ timeoutMs: 1e3 * wanted.seconds + 30_000 });
  await delay(DRAIN_MS);
  return combine(parseReport("send", source.stdout), parseReport("receive", await finish(pull)));
}

/** One request at a time from each of so many sockets. */
export async function ping(lab: Lab, options: { flows: number; seconds: number }): Promise<PingReport> {
  const echo = await startServer(lab, "echo", { size: REQUEST_BYTES });
  const argv = clientCommand("ping", { ...options, size: REQUEST_BYTES });
  const { stdout } = await lab.client.run(argv, { timeoutMs: 1e3 * options.seconds + 30_000 });
  await finish(echo);
  return parseReport("ping", stdout);
}

/**
 * Opens sessions, each with one exchange; they stay open while `work` runs. Also gives how they were
 * answered.
 */
export async function withSessions<T>(
  lab: Lab,
  { count, atOnce = SESSIONS_AT_ONCE, firstPort = 0 }: Sessions,
  work: () => Promise<T>,
): Promise<{ result: T; report: HoldReport }> {
  const echo = await startServer(lab, "echo", { size: REQUEST_BYTES });
  const load = { flows: count, size: REQUEST_BYTES, burst: atOnce, first: firstPort };
  const hold = await lab.client.start(clientCommand("hold", load));
  await hold.waitForOutput(/\}\n/, { timeoutMs: 60_000 });
  const report = parseReport("hold", hold.stdout);
  const result = await work();
  await finish(hold);
  await finish(echo);
  return { result, report };
}

/** Tells whether one request has an answer. */
export async function answers(lab: Lab): Promise<boolean> {
  const report = await ping(lab, { flows: 1, seconds: 0.3 });
  return report.exchanges > 0;
}

function load(wanted: Transfer): Record<string, number> {
  const { size, flows, rate, seconds } = wanted;
  return { size, flows, rate, seconds, burst: flows === 1 ? BURSTS.one : BURSTS.many };
}

function startServer(lab: Lab, role: string, load: Record<string, number>): Promise<Program> {
  return lab.server.start([PROGRAM, role, ...words({ port: PORT, ...load })], { udpPort: PORT });
}

function clientCommand(role: string, load: Record<string, number>): string[] {
  return [PROGRAM, role, `address=${ADDRESSES[4].server}`, ...words({ port: PORT, ...load })];
}

function words(values: Record<string, number>): string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${value}`);
}

/** Ends a program of ours by the end of its input; gives what it printed. */
async function finish(program: Program): Promise<string> {
  await program.closeInput();
  const code = await program.waitForExit({ timeoutMs: 10_000 });
  if (code !== 0) throw new Error(`Exit ${code}: ${program}\n${program.output}`);
  return program.stdout;
}
