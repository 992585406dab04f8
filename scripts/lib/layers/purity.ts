/**
 * The claim "Pure." of a file's header, and rooms that are pure as a whole. Pure.
 *
 * A pure file computes: neither it nor anything that it loads touches the system, a clock or chance.
 * Constants of ffi/ are pure in this sense, its calls are not.
 * @module
 */
import type { Breach } from "./breach.ts";
import type { Module } from "./graph.ts";
import { codeOf, headerOf } from "./text.ts";

/** Rooms in which every file is pure, claimed or not. */
const PURE_ROOMS = ["src/net/", "src/names/", "src/policy/", "src/boot/", "src/marks.ts", "src/constants.ts"];

const CLAIM = /(^|\s)Pure\.(\s|$)/;

/** Words that reach out of the program; a name says what the message names. */
const IMPURITIES: readonly RegExp[] = [
  /\bDeno\.\w+/,
  /\bglobalThis\.\w+/,
  /\bDate\.now\b/,
  /\bnew Date\(\)/,
  /\bperformance\.\w+/,
  /\bMath\.random\b/,
  /\bcrypto\.\w+/,
  /\bset(?:Timeout|Interval)\b/,
  /\bfetch\(/,
  /\bnew Worker\b/,
  /\bconsole\.\w+/,
];
/** Modules of Node.js that compute. */
const PURE_PACKAGES = ["node:crypto", "node:zlib", "node:assert/strict", "node:buffer"];

/** Finds pure files that reach something impure through what they load. */
export function findImpurities(modules: readonly Module[]): Breach[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const impurity = new Map(modules.map((module) => [module.path, findImpurity(module)]));
  return modules.filter(isPure).flatMap(({ path }) => {
    const chain = findChain(path, byPath, (at) => impurity.get(at) !== undefined);
    if (chain === undefined) return [];
    const way = chain.length === 1 ? "" : ` (${chain.join(" → ")})`;
    return [{ path, text: `is pure, but reaches ${impurity.get(chain[chain.length - 1])}${way}` }];
  });
}

function isPure({ path, text }: Module): boolean {
  return CLAIM.test(headerOf(text)) || PURE_ROOMS.some((room) => path.startsWith(room));
}

function findImpurity({ text, imports }: Module): string | undefined {
  const code = codeOf(text).replace(/"(?:[^"\\\n]|\\.)*"/g, '""');
  const word = IMPURITIES.map((pattern) => pattern.exec(code)?.[0]).find((found) => found !== undefined);
  const node = imports.find(({ target, typeOnly }) =>
    !typeOnly && target.startsWith("node:") && !PURE_PACKAGES.includes(target)
  );
  return word ?? node?.target;
}

/** The shortest way from a file to one that fits, through imports of code. */
function findChain(
  start: string,
  byPath: ReadonlyMap<string, Module>,
  fits: (path: string) => boolean,
): string[] | undefined {
  const seen = new Set([start]);
  const queue: string[][] = [[start]];
  for (let chain = queue.shift(); chain !== undefined; chain = queue.shift()) {
    const path = chain[chain.length - 1];
    if (fits(path)) return chain;
    for (const { target, typeOnly } of byPath.get(path)?.imports ?? []) {
      if (typeOnly || seen.has(target)) continue;
      seen.add(target);
      queue.push([...chain, target]);
    }
  }
  return undefined;
}
