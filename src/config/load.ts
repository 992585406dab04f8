/**
 * Reads config files.
 * @module
 */
import { DEFAULT_CONFIG_PATH } from "../constants.ts";
import { errnoNumber } from "../net/errno.ts";
import { OperationError } from "../net/error.ts";
import { DEFAULT_CONFIG } from "./defaults.ts";
import { readNetworkLists } from "./files/networks.ts";
import { isOwnDescriptor, MAX_CONFIG_BYTES, reasonAgainst } from "./files/plain.ts";
import { errorCode, readReason } from "./files/reason.ts";
import { resolveConfig } from "./resolve.ts";
import type { Config } from "./types.ts";
import { validate } from "./validate.ts";
import { isMapping } from "./values/values.ts";
import { type ConfigPath, type Position, YamlSource } from "./yaml_source.ts";

/** A config, and where each of its values comes from. */
export interface LoadedConfig {
  /** The config in effect. */
  readonly config: Config;
  /** The path of the file, or `built-in defaults`. */
  readonly origin: string;
  /** Finds the place at which the file sets a key; `undefined` if it does not. */
  locate(path: ConfigPath): Position | undefined;
}

/** The ways to find a config. */
export interface LoadOptions {
  /**
   * A file that must be there. Without it: /etc/tproxy/tproxy.yaml if it is there, else the built-in
   * defaults.
   */
  readonly path?: string;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
}

/** {@linkcode LoadedConfig.origin} where there is no file. */
export const BUILT_IN = "built-in defaults";

/**
 * Loads and checks a config. Throws an OperationError (exit code 2) if it cannot be read, a ConfigError if it
 * is invalid.
 */
export function loadConfig({ path, readTextFile }: LoadOptions): LoadedConfig {
  const file = path ?? DEFAULT_CONFIG_PATH;
  const reason = isOwnDescriptor(file) ? undefined : reasonAgainst(file, MAX_CONFIG_BYTES);
  if (reason !== undefined) throw refuseToRead(file, { reason });
  let text: string;
  try {
    text = readTextFile(file);
  } catch (error) {
    if (path === undefined && error instanceof Deno.errors.NotFound) {
      return { config: DEFAULT_CONFIG, origin: BUILT_IN, locate: () => undefined };
    }
    const code = errorCode(error);
    throw refuseToRead(
      file,
      code === undefined ? { reason: readReason(error) } : { errno: errnoNumber(code) },
      error,
    );
  }
  return loadText(text, file, readTextFile);
}

/** Checks the text of a config. Throws a ConfigError with all that is wrong. */
export function parseConfig(text: string, fileName: string): Config {
  return loadText(text, fileName).config;
}

/** The same, with the places of the keys. `readTextFile` reads the lists that rules name. */
export function loadText(
  text: string,
  fileName: string,
  readTextFile: (path: string) => string = Deno.readTextFileSync,
): LoadedConfig {
  const source = new YamlSource(text, fileName);
  const file = validate(source);
  return {
    config: resolveConfig(file, readNetworkLists(file, source, readTextFile)),
    origin: fileName,
    locate: (path) => isSet(source.value, path) ? source.locate(path, { key: true }) : undefined,
  };
}

function isSet(value: unknown, path: ConfigPath): boolean {
  let node = value;
  for (const step of path) {
    if (Array.isArray(node) ? !(Number(step) in node) : !isMapping(node) || !Object.hasOwn(node, step)) {
      return false;
    }
    node = (node as Readonly<Record<string | number, unknown>>)[step];
  }
  return true;
}

function refuseToRead(
  file: string,
  why: { readonly reason: string } | { readonly errno: number },
  cause?: unknown,
): OperationError {
  return new OperationError({ operation: "read config", object: file, ...why, usage: true }, { cause });
}
