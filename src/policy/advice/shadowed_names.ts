/**
 * Rules by name whose names an earlier rule has already decided. Pure.
 * @module
 */
import type { Config, RuleConfig } from "../../config/types.ts";
import { NAME_KINDS } from "../../names/kinds.ts";
import { type NamePattern, patternOf } from "../../names/pattern.ts";
import { conditionsOf, coversAll } from "../conditions.ts";

/** A rule that never matches, and the earlier one that has its names. */
export interface ShadowedRule {
  readonly index: number;
  readonly by: number;
}

/** Finds them among rules whose names the config itself lists; a list in a file may have exceptions. */
export function findShadowed({ rules }: Config): ShadowedRule[] {
  const patterns = rules.map(patternsOf);
  return rules.flatMap((rule, index) => {
    const names = patterns[index];
    if (names === undefined) return [];
    const conditions = conditionsOf(rule);
    const by = rules.findIndex((earlier, place) =>
      place < index && coversAll(conditionsOf(earlier), conditions) &&
      names.every((name) => patterns[place]?.some((wide) => includes(wide, name)))
    );
    return by < 0 ? [] : [{ index, by }];
  });
}

function patternsOf({ domains, domainFiles }: RuleConfig): NamePattern[] | undefined {
  return domainFiles === undefined ? domains?.map(patternOf) : undefined;
}

/** Tells whether all names that `narrow` matches are among those of `wide`. */
function includes(wide: NamePattern, narrow: NamePattern): boolean {
  if (narrow.name.endsWith(`.${wide.name}`)) return wide.kind !== NAME_KINDS.exact;
  return narrow.name === wide.name && (wide.kind === narrow.kind || wide.kind === NAME_KINDS.both);
}
