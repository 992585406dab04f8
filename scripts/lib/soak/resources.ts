/**
 * Resources that the process holds: descriptors, memory.
 * @module
 */
import { anonymousBytes, countDescriptorKinds } from "../../../tests/laboratory/machine/procfs.ts";
import { until } from "../../../tests/laboratory/machine/wait.ts";
import type { Proxy } from "../../../tests/laboratory/proxy/proxy.ts";
import type { Sample } from "./memory.ts";
import { IDLE_SECONDS } from "./world.ts";

/** A machine that does much else takes its time. */
const MARGIN_MS = 30_000;

/** Waits until the process has no more descriptors than it had, but for pipes: each session has some. */
export async function drain(proxy: Proxy, opened: Readonly<Record<string, number>>): Promise<void> {
  const timeoutMs = Math.max(IDLE_SECONDS.tcp, IDLE_SECONDS.udp) * 1000 + MARGIN_MS;
  const isRest = () => {
    const now = descriptorsOf(proxy);
    return Object.keys(now).every((kind) => kind === "pipe" || now[kind] <= (opened[kind] ?? 0));
  };
  await until(isRest, { what: "the end of all sessions", timeoutMs, pollMs: 200 }).catch(() => {});
}

/** Descriptors by kind. */
export function descriptorsOf({ pid }: Proxy): Record<string, number> {
  return Object.fromEntries([...countDescriptorKinds(pid)].toSorted());
}

/** Its anonymous memory now. */
export function sampleMemory({ pid }: Proxy): Sample {
  return { time: performance.now(), bytes: anonymousBytes(pid) };
}
