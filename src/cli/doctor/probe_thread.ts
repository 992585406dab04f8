/**
 * Tries the kernel where it does no harm: on a thread in a network namespace of its own, else in the
 * router's, in objects that take no effect and are gone at once.
 * @module
 */
import { probeKernel, type ProbeOrder, type ProbeTools } from "../../doctor/probes/probe_kernel.ts";
import type { ProbeResult } from "../../doctor/probes/probe.ts";

/** An order to the thread. */
export type ProberOrder = Omit<ProbeOrder, "own">;

/** An answer of the thread. */
export type ProberAnswer =
  | { readonly kind: "results"; readonly results: readonly ProbeResult[] }
  | { readonly kind: "refused"; readonly errno: number }
  | { readonly kind: "failed"; readonly trace: string };

/** The results, and where they were got. */
export interface ProbeOutcome {
  readonly results: readonly ProbeResult[];
  /** Reason why there was no namespace of its own: a positive errno; 0 where there was one. */
  readonly refusal: number;
}

/** Tries everything. `url` is the module prober.ts, or what it was bundled to. */
export async function probeSafely(
  order: ProberOrder,
  options: { url: URL; tools: ProbeTools },
): Promise<ProbeOutcome> {
  const answer = await askThread(order, options.url);
  if (answer.kind === "failed") throw new Error(answer.trace);
  if (answer.kind === "results") return { results: answer.results, refusal: 0 };
  return { results: probeKernel({ ...order, own: false }, options.tools), refusal: answer.errno };
}

async function askThread(order: ProberOrder, url: URL): Promise<ProberAnswer> {
  const worker = new Worker(url, { type: "module", name: "doctor" });
  const { promise, resolve, reject } = Promise.withResolvers<ProberAnswer>();
  worker.onmessage = ({ data }: MessageEvent<ProberAnswer>) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  worker.postMessage(order);
  try {
    return await promise;
  } finally {
    worker.terminate();
  }
}
