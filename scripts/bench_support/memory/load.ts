/**
 * The load under which memory is measured: 200 TCP connections, eight of them with bulk, and 500 UDP sessions.
 * @module
 */
import { ADDRESSES, type Lab } from "../../../tests/lab/support/lab.ts";
import { exchange, openClient, openServer } from "../../../tests/lab/support/udp_peers.ts";

const BULK = 8;
const REQUESTING = 192;
export const UDP_SESSIONS = 500;

/** What came through. */
export interface Throughput {
  /** Gbit/s of bulk, server to client. */
  readonly gigabits: number;
  /** HTTP requests/s beside it. */
  readonly requests: number;
  /** Sessions, of {@linkcode UDP_SESSIONS}, whose datagram came, and its answer. */
  readonly udpSessions: number;
}

/** Opens the UDP sessions, then loads TCP for so many seconds. Throws if nothing comes through any more. */
export async function load(lab: Lab, seconds: number): Promise<Throughput> {
  const udpSessions = await openSessions(lab);
  const server = ADDRESSES[4].server;
  const options = { timeoutMs: (seconds + 60) * 1000, mayFail: true };
  const [bulk, requests] = await Promise.all([
    lab.client.run(["iperf3", "-J", "-R", "-P", `${BULK}`, "-t", `${seconds}`, "-c", server], options),
    lab.client.run(["wrk", "-t1", `-c${REQUESTING}`, `-d${seconds}s`, `http://${server}/`], options),
  ]);
  const { end, error } = JSON.parse(bulk.stdout);
  if (error !== undefined) throw new Error(`iperf3: ${error}`);
  return {
    gigabits: end.sum_received.bits_per_second / 1e9,
    requests: Number(/Requests\/sec:\s+([\d.]+)/.exec(requests.stdout)?.[1] ?? 0),
    udpSessions,
  };
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
