/**
 * Cost of workers: the same proxy, idle, with one, two and four.
 * @module
 */
import { openLab } from "../../../../tests/laboratory/lab.ts";
import { anonymousBytes, residentBytes } from "../../../../tests/laboratory/machine/procfs.ts";
import { startUdpProxy } from "../../../../tests/laboratory/network/udp_peers.ts";
import { delay } from "../../../../tests/laboratory/machine/wait.ts";
import { SETTLE_MS } from "./try_limit.ts";

/** Memory of a proxy, bytes. */
export interface WorkerCost {
  readonly resident: number;
  readonly anonymous: number;
}

/** Samples by number of workers; the numbers take turns. */
export async function measureWorkers(
  counts: readonly number[],
  rounds: number,
): Promise<Map<number, WorkerCost[]>> {
  const samples = new Map<number, WorkerCost[]>(counts.map((count) => [count, []]));
  const lab = await openLab();
  try {
    for (let round = 0; round < rounds; round++) {
      for (const workers of counts) {
        const proxy = await startUdpProxy(lab, { listener: { workers } });
        await delay(SETTLE_MS);
        samples.get(workers)!.push({
          resident: residentBytes(proxy.pid),
          anonymous: anonymousBytes(proxy.pid),
        });
        await proxy.program.stop();
      }
    }
  } finally {
    await lab.close();
  }
  return samples;
}
