/**
 * A diagnosis of this machine, for commands.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import { demandOf, largestCapacity } from "../../dataplane/sizing/demand.ts";
import { readMemoryLimit } from "../../dataplane/sizing/memory_limit.ts";
import { countWorkers } from "../../dataplane/sizing/worker_count.ts";
import type { DiagnosisOptions } from "../../doctor/machine/machine.ts";
import type { ProgramPaths } from "../../doctor/machine/program.ts";
import type { Env } from "../env.ts";
import { prepareProbing, type Probing } from "./probing.ts";

/** Prepares it; nothing is read or tried yet but the memory. */
export function prepareDiagnosis(env: Env, loaded: LoadedConfig): DiagnosisOptions & Probing {
  const { config } = loaded;
  const memory = readMemoryLimit(env.readTextFile);
  const processors = navigator.hardwareConcurrency;
  const { workers, reason } = countWorkers(config.listener.workers, {
    processors,
    memory,
    connections: demandOf(config).connections,
  });
  return {
    ...prepareProbing(env, loaded),
    paths: findProgram(env),
    memory: { workers, reason, memory },
    room: (descriptors) => largestCapacity(config, { descriptors, workers }),
  };
}

/**
 * Finds the directories into which the launcher has put the program; a program run from its sources has none.
 */
function findProgram(env: Env): ProgramPaths {
  const self = env.getenv("TPROXY_SELF");
  if (self === undefined) return {};
  const compiled = env.getenv("DENO_DIR");
  const name = env.getenv("TPROXY_CACHE_DIR") ?? self;
  return { program: { path: "/proc/self/exe", name }, ...(compiled === undefined ? {} : { compiled }) };
}
