/**
 * Verdicts on targets that are multiples of another contestant. Pure.
 * @module
 */
import { compare } from "./statistics.ts";
import type { Results, Verdict } from "./suite.ts";

/** A least multiple of another contestant. */
export interface Target {
  readonly measure: string;
  readonly ratio: number;
}

/** A target, and whether it is held. */
export interface Judged {
  readonly held: boolean;
  readonly text: string;
}

/** Judges tproxy beside another, as far as both were measured. */
export function judgeRatios(results: Results, base: string, targets: readonly Target[]): Judged[] {
  const ratios = compare(results, base) ?? {};
  return targets.filter(({ measure }) => ratios[measure] !== undefined).map(({ measure, ratio }) => ({
    held: ratios[measure]! >= ratio,
    text: `${measure}: ${ratios[measure]!.toFixed(2)} times ${base}, target ${ratio}`,
  }));
}

/** One line for each; undefined where nothing could be judged. */
export function makeVerdict(judged: readonly Judged[]): Verdict | undefined {
  if (judged.length === 0) return undefined;
  return {
    held: judged.every(({ held }) => held),
    lines: judged.map(({ held, text }) => `${held ? "holds" : "MISSED"}  ${text}`),
  };
}
