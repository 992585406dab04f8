/**
 * Names in a config as it is written: it need not be valid, for somebody is at work on it. Pure.
 * @module
 */
import { parse } from "yaml";

/** The names. */
export interface WrittenNames {
  readonly rules: readonly string[];
  /** Of groups too. */
  readonly upstreams: readonly string[];
}

/** Reads them; what cannot be read has none. */
export function readWrittenNames(text: string): WrittenNames {
  const config = parseOrNothing(text);
  const rules = Array.isArray(config?.rules) ? config.rules : [];
  return {
    rules: rules.map((rule, index) => nameOf(rule) ?? `rule ${index + 1}`),
    upstreams: [config?.upstreams, config?.groups].flatMap((parts) => Object.keys(partsOf(parts) ?? {})),
  };
}

function parseOrNothing(text: string): Record<string, unknown> | undefined {
  try {
    return partsOf(parse(text, { logLevel: "silent" }));
  } catch {
    return undefined;
  }
}

function partsOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : undefined;
}

function nameOf(rule: unknown): string | undefined {
  const name = partsOf(rule)?.name;
  return typeof name === "string" ? name : undefined;
}
