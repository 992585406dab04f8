/**
 * The line of progress.
 * @module
 */
import type { Load } from "./load.ts";
import { descriptorsOf, sampleMemory } from "./resources.ts";
import type { Scene } from "./scene.ts";
import { divide } from "./windows.ts";

/** Describes what has happened so far. */
export function describeProgress(
  { seconds, scene, server, clients }: {
    seconds: number;
    scene: Scene;
    server: Load;
    clients: readonly Load[];
  },
): string {
  const sum = (of: (load: Load) => number) => clients.reduce((total, load) => total + of(load), 0);
  const failures = [server, ...clients].flatMap((load) => load.failures);
  const { wrong, failed, excused } = divide(failures, scene.windows);
  return [
    `${seconds.toFixed(0).padStart(5)} s`,
    `${sum(({ counts }) => counts.flows)} flows, ${formatBytes(sum(({ counts }) => counts.bytes))}`,
    `${sum(({ counts }) => counts.exchanges)} datagrams (${sum(({ counts }) => counts.lost)} lost, ${
      sum(({ counts }) => counts.late)
    } late)`,
    `failed ${failed.length}, lost ${excused.length}, wrong ${wrong.length}`,
    describeWindows(scene),
    describeProcess(scene),
  ].join(" | ");
}

function describeWindows({ windows }: Scene): string {
  const names = [...new Set(windows.map(({ name }) => name))];
  const count = (name: string) => windows.filter((window) => window.name === name).length;
  return names.map((name) => `${name} ${count(name)}`).join(", ") || "nothing has happened";
}

/** Says what the process holds, unless there is none at the moment. */
function describeProcess({ service }: Scene): string {
  try {
    const descriptors = Object.values(descriptorsOf(service)).reduce((total, count) => total + count, 0);
    const { bytes } = sampleMemory(service);
    return `descriptors ${descriptors}, memory ${(bytes / 1e6).toFixed(1)} MB`;
  } catch {
    return "no proxy";
  }
}

function formatBytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
