/**
 * The difference between two configs in words, for whoever asked for a reload. Pure.
 * @module
 */
import { describeConfig } from "../../config/describe.ts";
import type { Config } from "../../config/types.ts";

/** A key with its value in words. */
type Entry = readonly [key: string, text: string];

/** Rules beyond which their order is not compared any more: what differs is shown as replaced. */
const MOST_COMPARED = 1000;

/**
 * Describes what differs, a line each: `timeouts.connect: 10s → 5s`; what came with a `+`, what went with
 * a `-`. Rules are compared by what they say, so that one that was inserted is one line.
 */
export function describeDifference(inForce: Config, next: Config): string[] {
  const before = describeConfig(inForce);
  const after = describeConfig(next);
  return [
    ...differingKeys(before.filter(isNoRule), after.filter(isNoRule)),
    ...differingRules(before, after),
  ];
}

const isRule = ([key]: Entry) => key.startsWith("rules[");
const isNoRule = (entry: Entry) => !isRule(entry) && entry[0] !== "rules";

function differingKeys(before: readonly Entry[], after: readonly Entry[]): string[] {
  const was = new Map(before);
  const is = new Map(after);
  // A section that is empty is there as one key without a name: `upstreams: none`.
  const isEmptied = ([key, text]: Entry) => text === "none" && (is.has(key) !== was.has(key));
  return [
    ...before.filter((entry) => !is.has(entry[0]) && !isEmptied(entry)).map(([key, text]) =>
      `- ${key}: ${text}`
    ),
    ...after.filter((entry) => was.get(entry[0]) !== entry[1] && !isEmptied(entry)).map(([key, text]) =>
      was.has(key) ? `${key}: ${was.get(key)} → ${text}` : `+ ${key}: ${text}`
    ),
  ];
}

function differingRules(before: readonly Entry[], after: readonly Entry[]): string[] {
  const was = before.filter(isRule);
  const is = after.filter(isRule);
  const isSame = (i: number, j: number) => was[i][1] === is[j][1];
  let start = 0;
  while (start < was.length && start < is.length && isSame(start, start)) start++;
  let wasEnd = was.length;
  let isEnd = is.length;
  while (wasEnd > start && isEnd > start && isSame(wasEnd - 1, isEnd - 1)) wasEnd--, isEnd--;
  const [gone, come] = [was.slice(start, wasEnd), is.slice(start, isEnd)];
  const stay = gone.length > MOST_COMPARED || come.length > MOST_COMPARED ? [] : commonRules(gone, come);
  const write = (sign: string) => ([key, text]: Entry) => `${sign} ${key} ${text}`;
  return [
    ...gone.filter((_rule, i) => !stay.some(([kept]) => kept === i)).map(write("-")),
    ...come.filter((_rule, j) => !stay.some(([, kept]) => kept === j)).map(write("+")),
  ];
}

/** Pairs the rules of the longest sequence that both have, by their places. */
function commonRules(gone: readonly Entry[], come: readonly Entry[]): [number, number][] {
  const width = come.length + 1;
  const lengths = new Uint16Array((gone.length + 1) * width);
  for (let i = gone.length - 1; i >= 0; i--) {
    for (let j = come.length - 1; j >= 0; j--) {
      lengths[i * width + j] = gone[i][1] === come[j][1]
        ? 1 + lengths[(i + 1) * width + j + 1]
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  const pairs: [number, number][] = [];
  let [i, j] = [0, 0];
  while (i < gone.length && j < come.length) {
    if (gone[i][1] === come[j][1]) pairs.push([i++, j++]);
    else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++;
    else j++;
  }
  return pairs;
}
