/**
 * Resources that the process holds: descriptors, threads, sessions, elements of the kernel's sets, files;
 * memory.
 * @module
 */
import { readState } from "../../../tests/laboratory/control/state.ts";
import type { Lab } from "../../../tests/laboratory/lab.ts";
import { anonymousBytes, countDescriptorKinds } from "../../../tests/laboratory/machine/procfs.ts";
import { until } from "../../../tests/laboratory/machine/wait.ts";
import type { Sample } from "./memory.ts";
import type { Service } from "./service.ts";
import { IDLE_SECONDS } from "./world.ts";

/** A machine that does much else takes its time. */
const MARGIN_MS = 30_000;
const RUN_DIRECTORY = "/run/tproxy";

/** Numbers by kind. */
export type Holdings = Readonly<Record<string, number>>;

/**
 * Waits until the process has no more than it had, but for pipes: each session has some. Gives what it has.
 */
export async function drain(lab: Lab, proxy: Service, before: Holdings): Promise<Holdings> {
  const timeoutMs = Math.max(IDLE_SECONDS.tcp, IDLE_SECONDS.udp) * 1000 + MARGIN_MS;
  let now: Holdings = {};
  const isRest = async () => {
    now = await holdingsOf(lab, proxy);
    return Object.keys(now).every((kind) => kind === "pipe" || now[kind] <= (before[kind] ?? 0));
  };
  await until(isRest, { what: "the end of all sessions", timeoutMs, pollMs: 500 }).catch(() => {});
  return now;
}

/** Counts all that it holds. */
export async function holdingsOf(lab: Lab, proxy: Service): Promise<Holdings> {
  const { stdout: sets } = await lab.router.run(["nft", "-j", "list", "table", "inet", "transparent_proxy"]);
  const { connections, udpSessions } = await readState(lab);
  return {
    ...descriptorsOf(proxy),
    threads: [...Deno.readDirSync(`/proc/${proxy.pid}/task`)].length,
    connections,
    "UDP sessions": udpSessions,
    "elements of sets": countElements(JSON.parse(sets)),
    "files in /run": [...Deno.readDirSync(RUN_DIRECTORY)].filter(({ name }) => name.endsWith(`-${proxy.pid}`))
      .length,
  };
}

function countElements({ nftables }: { nftables: { set?: { elem?: unknown[] } }[] }): number {
  return nftables.reduce((sum, { set }) => sum + (set?.elem?.length ?? 0), 0);
}

/** Descriptors by kind. */
export function descriptorsOf({ pid }: Service): Record<string, number> {
  return Object.fromEntries([...countDescriptorKinds(pid)].toSorted());
}

/** Its anonymous memory now. */
export function sampleMemory({ pid }: Service): Sample {
  return { time: performance.now(), bytes: anonymousBytes(pid) };
}
