/**
 * The load under which memory is measured: 200 TCP connections, eight of them with bulk, and 500 UDP
 * sessions.
 * @module
 */
import { ADDRESSES, type Lab } from "../../../../tests/laboratory/lab.ts";
import { exchange, openClient, openServer } from "../../../../tests/laboratory/network/udp_peers.ts";

const BULK = 8;
const QUIET = 192;
/** Sessions that are opened. */
export const UDP_SESSIONS = 500;
/** For wrk: each connection stays and asks twice a second. */
const QUIET_SCRIPT = "function delay() return 500 end\n";

/** Bytes that came through. */
export interface Throughput {
  /** Gbit/s of bulk, server to client. */
  readonly gigabits: number;
  /** Requests that the quiet connections lost. */
  readonly lost: number;
  /** Sessions, of {@linkcode UDP_SESSIONS}, whose datagram came, and its answer. */
  readonly udpSessions: number;
}

/** Opens the UDP sessions, then loads TCP for so many seconds. Throws if bulk does not come through. */
export async function load(lab: Lab, seconds: number): Promise<Throughput> {
  const udpSessions = await openSessions(lab);
  const server = ADDRESSES[4].server;
  const script = lab.writeFile("quiet.lua", QUIET_SCRIPT);
  const options = { timeoutMs: (seconds + 60) * 1000, mayFail: true };
  const quiet = ["wrk", "-t1", `-c${QUIET}`, `-d${seconds + 1}s`, "-s", script, `http://${server}/`];
  const [bulk, requests] = await Promise.all([
    lab.client.run(["iperf3", "-J", "-R", "-P", `${BULK}`, "-t", `${seconds}`, "-c", server], options),
    lab.client.run(quiet, options),
  ]);
  const { end, error } = JSON.parse(bulk.stdout);
  if (error !== undefined) throw new Error(`iperf3: ${error}`);
  return {
    gigabits: end.sum_received.bits_per_second / 1e9,
    lost: countErrors(requests.stdout),
    udpSessions,
  };
}

/** `Socket errors: connect 0, read 0, write 0, timeout 0`. */
function countErrors(report: string): number {
  const line = /Socket errors: (.*)/.exec(report)?.[1] ?? "";
  return [...line.matchAll(/\d+/g)].reduce((sum, [number]) => sum + Number(number), 0);
}

async function openSessions(lab: Lab): Promise<number> {
  const server = openServer(lab, 4);
  let answered = 0;
  for (let i = 0; i < UDP_SESSIONS; i++) {
    const client = openClient(lab, 4);
    try {
      await exchange(client, server);
      answered++;
    } catch {
      // One that gets no answer is counted by what is missing.
    }
  }
  return answered;
}
