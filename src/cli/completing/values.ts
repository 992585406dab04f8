/**
 * Values for a shell to complete: interfaces, and names in the config. Whatever cannot be read completes
 * nothing, and says nothing: somebody is typing.
 * @module
 */
import { DEFAULT_CONFIG_PATH } from "../../constants.ts";
import type { ValueKind } from "../arguments/known_value.ts";
import type { Env } from "../env.ts";

/** Lists them. `words`: the command line, in which `-c` may name a config. */
export async function listValues(env: Env, kind: ValueKind, words: readonly string[]): Promise<string[]> {
  switch (kind) {
    case "interface":
      return listInterfaces(env);
    case "rule": {
      const rules = listOf((await readConfig(env, words))?.rules);
      return [...rules.map((rule, index) => nameOf(rule) ?? `rule ${index + 1}`), "default"];
    }
    case "upstream": {
      const config = await readConfig(env, words);
      return [...keysOf(config?.upstreams), ...keysOf(config?.groups)];
    }
    default:
      return kind satisfies never;
  }
}

/** Reads /proc/net/dev: two lines of a head, then one for each. */
function listInterfaces(env: Env): string[] {
  const lines = readOrEmpty(env, "/proc/net/dev").split("\n").slice(2);
  return lines.flatMap((line) => /^\s*([^\s:]+):/.exec(line)?.slice(1, 2) ?? []);
}

/** The config as it is written: it need not be valid, and lists are not read. */
async function readConfig(env: Env, words: readonly string[]): Promise<Record<string, unknown> | undefined> {
  const option = words.findIndex((word) => word === "-c" || word === "--config");
  const text = readOrEmpty(env, option < 0 ? DEFAULT_CONFIG_PATH : words[option + 1] ?? "");
  if (text === "") return undefined;
  const { parse } = await import("yaml");
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

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function keysOf(value: unknown): string[] {
  return Object.keys(partsOf(value) ?? {});
}

function nameOf(rule: unknown): string | undefined {
  const name = partsOf(rule)?.name;
  return typeof name === "string" ? name : undefined;
}

function readOrEmpty(env: Env, path: string): string {
  try {
    return env.readTextFile(path);
  } catch {
    return "";
  }
}
