/**
 * The memory of the machine or of our cgroup, and how many workers it is for. Pure.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { MemoryFacts } from "../machine/program.ts";

/** A proxy with one worker, under load, with the code that it uses: bytes (scripts/bench --memory). */
const ONE_WORKER = 64e6;
/** Each further worker. */
const FURTHER_WORKER = 8e6;
/** Bytes of the kernel and of a router's other programs. */
const OF_OTHERS = 50e6;

/** The check. */
export const memory: Check<MemoryFacts> = {
  id: "memory",
  read: (machine) => machine.memory,
  judge: judgeMemory,
};

/** Judges the memory; it makes no finding where that is unknown. */
export function judgeMemory({ workers, reason, memory }: MemoryFacts): Finding[] {
  if (memory === undefined) return [];
  const id = "memory";
  const what = `memory of the ${memory.of}: ${Math.floor(memory.bytes / 2 ** 20)} MiB; ` +
    `${workers} worker${workers === 1 ? "" : "s"} (${reason})`;
  const proxy = ONE_WORKER + (workers - 1) * FURTHER_WORKER;
  const needed = proxy + (memory.of === "machine" ? OF_OTHERS : 0);
  if (memory.bytes >= needed) return [works(id, what)];
  return [warning(id, {
    what,
    cause: `A proxy with ${workers} worker${workers === 1 ? "" : "s"} under load takes up to ` +
      `${
        Math.ceil(proxy / 2 ** 20)
      } MiB; without them the kernel may kill it, and intercept.on-failure applies`,
    remedy: workers === 1
      ? memory.of === "cgroup"
        ? "Raise the limit: MemoryMax in a systemd unit, memory.max of the cgroup"
        : "Use a router with at least 128 MB of memory, or stop other programs"
      : "listener: { workers: 1 } in the config, or auto",
  })];
}
