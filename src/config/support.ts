/**
 * Parts of a valid config that this version cannot do, or of which it warns.
 * @module
 */
import { BACKEND_ABILITIES } from "./backends.ts";
import { ConfigError, type ConfigProblem, formatProblem } from "./error.ts";
import { isLoopback, parseEndpoint } from "../net/ip.ts";
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
  {
    path: ["metrics"],
    asked: ({ metrics }) => metrics !== "off" && !isLoopback(parseEndpoint(metrics)!.address),
    text: "whoever reaches this address reads the names of rules and upstreams, and how much passes",
    refusedBy: [],
  },
];

/** Something asked for in vain, or worth a warning. */
export interface Unsupported extends ConfigProblem {
  readonly refusedBy: readonly ConfigUser[];
}

/** Lists all of it, in the order of the file. */
export function listUnsupported(loaded: LoadedConfig): Unsupported[] {
  const { config, locate } = loaded;
  const nowhere = { line: 0, column: 0 };
  const gaps = GAPS.filter((gap) => gap.asked(config)).map(({ path, text, refusedBy }) => ({
    ...(locate(path) ?? nowhere),
    text,
    refusedBy,
  }));
  return gaps.toSorted((a, b) => a.line - b.line || a.column - b.column);
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
