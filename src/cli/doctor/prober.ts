/**
 * The thread on which doctor tries the kernel: in a network namespace of its own, which goes away with it.
 * @module
 */
import { unshareNetwork } from "../../../ffi/process.ts";
import { probeKernel } from "../../doctor/probes/probe_kernel.ts";
import type { ProberAnswer, ProberOrder } from "./probe_thread.ts";
import { KERNEL_TOOLS } from "./tools.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<ProberOrder>) => void) | null;
  postMessage(message: ProberAnswer): void;
}

const scope = globalThis as unknown as WorkerScope;

function answer(order: ProberOrder): ProberAnswer {
  const entered = unshareNetwork();
  if (entered < 0) return { kind: "refused", errno: -entered };
  if (order.families.includes("ipv6")) enableIpv6();
  return { kind: "results", results: probeKernel({ ...order, own: true }, KERNEL_TOOLS) };
}

/** A new namespace may have it off although the router has it on. */
function enableIpv6(): void {
  try {
    for (const name of ["all", "lo"]) {
      Deno.writeTextFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "0\n");
    }
  } catch {
    // then the probes say what does not work
  }
}

scope.onmessage = ({ data }) => {
  try {
    scope.postMessage(answer(data));
  } catch (error) {
    // A defect of ours: whoever reports it needs the whole trace.
    scope.postMessage({ kind: "failed", trace: error instanceof Error ? `${error.stack}` : String(error) });
  }
};
