/**
 * Trial of the kernel for commands: on a thread of its own.
 * @module
 */
import type { KernelDiagnosisOptions } from "../../doctor/machine/machine.ts";
import { systemFiles } from "../../doctor/machine/files.ts";
import type { LoadedConfig } from "../../config/load.ts";
import type { Env } from "../env.ts";
import { probeSafely } from "./probe_thread.ts";
import { KERNEL_TOOLS } from "./tools.ts";

/**
 * Tools of a diagnosis of the kernel, and the reason why it had no namespace: a positive errno, once one has
 * been tried.
 */
export interface Probing extends KernelDiagnosisOptions {
  readonly refusal: () => number;
}

/** Of this machine. */
export function prepareProbing(env: Env, loaded: LoadedConfig): Probing {
  let refusal = 0;
  return {
    loaded,
    files: systemFiles(env.readTextFile),
    readTextFile: env.readTextFile,
    release: Deno.osRelease(),
    probe: async (order) => {
      const outcome = await probeSafely(order, { url: proberUrl(), tools: KERNEL_TOOLS });
      refusal = outcome.refusal;
      return outcome.results;
    },
    refusal: () => refusal,
  };
}

/** Beside this program: as a source file, or bundled by scripts/build. */
function proberUrl(): URL {
  return import.meta.url.endsWith(".ts")
    ? new URL("./prober.ts", import.meta.url)
    : new URL("./prober.js", import.meta.url);
}
