/**
 * A duration on the command line.
 * @module
 */
import { message } from "@optique/core/message";
import type { ValueParser } from "@optique/core/valueparser";
import { formatDuration, parseDuration } from "../../config/values/duration.ts";

/** `60s`, in milliseconds; from `least` to `most`. `suggested`: what the shell offers. */
export function durationValue(
  { least, most, suggested }: { least: number; most: number; suggested: readonly string[] },
): ValueParser<"sync", number> {
  return {
    mode: "sync",
    metavar: "DURATION",
    placeholder: least,
    parse(input) {
      const value = parseDuration(input);
      if (value === undefined) {
        return { success: false, error: message`${input} is no duration such as 60s or 1m30s.` };
      }
      if (value >= least && value <= most) return { success: true, value };
      const range = `${formatDuration(least)} to ${formatDuration(most)}`;
      return { success: false, error: message`${input} is not within ${range}.` };
    },
    format: formatDuration,
    *suggest(prefix) {
      for (const text of suggested) if (text.startsWith(prefix)) yield { kind: "literal", text };
    },
  };
}
