/**
 * Features that a valid config may ask for and this version cannot do yet.
 * @module
 */
import { BACKEND_ABILITIES } from "./backends.ts";
import { ConfigError, type ConfigProblem, formatProblem } from "./error.ts";
import type { LoadedConfig } from "./load.ts";
import type { Config } from "./types.ts";
import type { ConfigPath } from "./yaml_source.ts";

/** The commands whose work depends on the config. */
export type ConfigUser = "install" | "run";

interface Gap {
  readonly path: ConfigPath;
  /** Tells whether the config asks for it. */
  readonly asked: (config: Config) => boolean;
  readonly text: string;
  /** For these commands going on would be worse than refusing; the others only warn. */
  readonly refusedBy: readonly ConfigUser[];
}

const BOTH: readonly ConfigUser[] = ["install", "run"];

const GAPS: readonly Gap[] = [
  {
    path: ["intercept", "router-traffic"],
    asked: ({ intercept, kernel }) =>
      intercept.routerTraffic && !BACKEND_ABILITIES[kernel.backend].routerTraffic,
    text: "the router's own traffic is intercepted with the backend netlink alone",
    refusedBy: BOTH,
  },
];

/** Keys that have no effect yet, wherever the file sets them. */
const IDLE_KEYS: readonly {
  readonly path: ConfigPath;
  readonly text: string;
  readonly off?: (c: Config) => boolean;
}[] = [
  {
    path: ["metrics"],
    text: "metrics are not supported yet, nothing listens there",
    off: (c) => c.metrics === "off",
  },
];

/** Something asked for in vain. */
export interface Unsupported extends ConfigProblem {
  readonly refusedBy: readonly ConfigUser[];
}

/** All that the config asks for in vain, in the order of the file. */
export function listUnsupported(loaded: LoadedConfig): Unsupported[] {
  const { config, locate } = loaded;
  const nowhere = { line: 0, column: 0 };
  const gaps = GAPS.filter((gap) => gap.asked(config)).map(({ path, text, refusedBy }) => ({
    ...(locate(path) ?? nowhere),
    text,
    refusedBy,
  }));
  const idle = IDLE_KEYS.flatMap(({ path, text, off }) => {
    const position = off?.(config) ? undefined : locate(path);
    return position === undefined ? [] : [{ ...position, text, refusedBy: [] }];
  });
  return [...gaps, ...idle].toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/**
 * Throws a ConfigError if `command` must not go on with what this config asks for. Returns the rest as
 * warnings, `FILE:LINE:COLUMN: text`, for stderr.
 */
export function requireSupported(loaded: LoadedConfig, command: ConfigUser): string[] {
  const unsupported = listUnsupported(loaded);
  const refused = unsupported.filter(({ refusedBy }) => refusedBy.includes(command));
  if (refused.length > 0) throw new ConfigError(loaded.origin, refused);
  return unsupported.map((problem) => formatProblem(loaded.origin, problem));
}
