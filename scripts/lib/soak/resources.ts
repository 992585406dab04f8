/**
 * Resources that the process holds: descriptors, sessions, memory.
 * @module
 */
import { anonymousBytes, countDescriptorKinds } from "../../../tests/laboratory/machine/procfs.ts";
import { until } from "../../../tests/laboratory/machine/wait.ts";
import type { Proxy } from "../../../tests/laboratory/proxy/proxy.ts";
import { stateFileOf } from "../../../src/daemon/state_file.ts";
import type { Sample } from "./memory.ts";
import { IDLE_SECONDS } from "./world.ts";

/** The report is of every five seconds; a machine that does much else takes its time. */
const MARGIN_MS = 30_000;

/** Live connections and UDP sessions, by the proxy's own report. */
export function sessionsOf({ pid }: Proxy): { connections: number; udpSessions: number } {
  return JSON.parse(Deno.readTextFileSync(stateFileOf(pid)));
}

/** Waits until the last session has timed out; gives how many have not. */
export async function drain(proxy: Proxy): Promise<number> {
  const count = () => {
    const { connections, udpSessions } = sessionsOf(proxy);
    return connections + udpSessions;
  };
  const timeoutMs = Math.max(IDLE_SECONDS.tcp, IDLE_SECONDS.udp) * 1000 + MARGIN_MS;
  await until(() => count() === 0, { what: "no session", timeoutMs, pollMs: 200 }).catch(() => {});
  return count();
}

/** Descriptors by kind. */
export function descriptorsOf({ pid }: Proxy): Record<string, number> {
  return Object.fromEntries([...countDescriptorKinds(pid)].toSorted());
}

/** Its anonymous memory now. */
export function sampleMemory({ pid }: Proxy): Sample {
  return { time: performance.now(), bytes: anonymousBytes(pid) };
}
