/**
 * Circles of imports; those of types and those at need count too. Pure.
 * @module
 */
import type { Breach } from "./breach.ts";
import type { Module } from "./graph.ts";

/** Finds the shortest circle of each knot of files that reach each other. */
export function findCycles(modules: readonly Module[]): Breach[] {
  const targets = new Map(modules.map(({ path, imports }) => [path, imports.map(({ target }) => target)]));
  const knotted = new Set<string>();
  const breaches: Breach[] = [];
  for (const { path } of modules) {
    if (knotted.has(path) || shortestWay(path, path, targets) === undefined) continue;
    const knot = modules.map((module) => module.path).filter((other) =>
      shortestWay(path, other, targets) !== undefined && shortestWay(other, path, targets) !== undefined
    );
    for (const member of knot) knotted.add(member);
    const circles = knot.map((member) => shortestWay(member, member, targets)!);
    const shortest = circles.reduce((a, b) => b.length < a.length ? b : a);
    breaches.push({ path: shortest[0], text: `is in a circle of imports: ${shortest.join(" → ")}` });
  }
  return breaches;
}

/** The shortest way of at least one step. */
function shortestWay(
  from: string,
  to: string,
  targets: ReadonlyMap<string, readonly string[]>,
): string[] | undefined {
  const seen = new Set<string>();
  const queue: string[][] = [[from]];
  for (let way = queue.shift(); way !== undefined; way = queue.shift()) {
    for (const next of targets.get(way[way.length - 1]) ?? []) {
      if (next === to) return [...way, next];
      if (seen.has(next)) continue;
      seen.add(next);
      queue.push([...way, next]);
    }
  }
  return undefined;
}
