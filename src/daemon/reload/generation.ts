/**
 * A config in force: what the workers and the kernel are given of it. The next one is prepared whole before
 * anything is changed.
 * @module
 */
import { readDomainLists } from "../../config/files/domain_lists.ts";
import { digest } from "../../config/files/digest.ts";
import { readSecrets, type Secrets } from "../../config/files/secrets.ts";
import { BUILT_IN, loadConfig, type LoadedConfig } from "../../config/load.ts";
import { requireSupported } from "../../config/support.ts";
import type { Config } from "../../config/types.ts";
import type { Settings } from "../../dataplane/settings.ts";
import { compilerOf } from "../../kernel/compilers.ts";
import { preparePlan } from "../../kernel/prepare.ts";
import type { Plan } from "../../kernel/plan/model.ts";
import { OperationError } from "../../net/error.ts";
import { buildNameSets, type NameImages } from "../../policy/name_sets.ts";
import { compilePolicy } from "../../policy/compile.ts";
import type { PolicyImage } from "../../policy/image.ts";
import type { ConfigFiles } from "../privileges/file_server.ts";

/** A config as `tproxy run` uses it. */
export interface UsableConfig {
  readonly loaded: LoadedConfig;
  /** Features that it asks for in vain, a line each. */
  readonly warnings: readonly string[];
  /** The sets of names of its rules. */
  readonly names: NameImages;
  /** Digests of the lists that they are made of, by path. */
  readonly lists: ReadonlyMap<string, string>;
  /** Passwords of upstreams. */
  readonly secrets: Secrets;
}

/** A config that is in force, or may come into force: the proxy's half. Immutable. */
export interface Generation extends UsableConfig {
  /** 1 for the config of the start, one more for each that has come into force since. */
  readonly number: number;
  /** The rules, compiled. */
  readonly policy: PolicyImage;
  /** All else that a worker may be given anew. */
  readonly settings: Settings;
}

/** The generation that is to follow. */
export interface NextGeneration extends Generation {
  /** The kernel's half; undefined: this network allows none yet. */
  readonly plan: Plan | undefined;
}

/** The outside world, as far as a config needs it. */
export interface ConfigSource {
  /** The file; undefined: the default one, or none. */
  readonly path: string | undefined;
  /** Throws Deno's errors. */
  readonly readTextFile: (path: string) => string;
  /** Lists of names, and passwords; absent: as this process may. */
  readonly readFile?: ConfigFiles["readFile"];
  readonly stat?: ConfigFiles["stat"];
  /** An access log. */
  readonly openForAppending?: ConfigFiles["openForAppending"];
}

/** The settings of a config, cut to what this process has room for. */
export type SettingsOf = (config: Config) => Settings;

/** Reads and checks the config. Throws a ConfigError, or an OperationError where it cannot be read. */
export function loadUsable(
  { path, readTextFile, readFile = Deno.readFileSync, stat = Deno.statSync }: ConfigSource,
): UsableConfig {
  const loaded = loadConfig({ ...(path === undefined ? {} : { path }), readTextFile });
  const warnings = requireSupported(loaded, "run");
  const seed = crypto.getRandomValues(new Int32Array(2));
  const files = readDomainLists(loaded, readFile);
  const { images: names } = buildNameSets(loaded.config, files, seed);
  const lists = new Map([...files].map(([path, bytes]) => [path, digest(bytes)]));
  return { loaded, warnings, names, lists, secrets: readSecrets(loaded, { stat, readFile }) };
}

/** Completes a config that has been read. Changes nothing. */
export function makeGeneration(usable: UsableConfig, number: number, settingsOf: SettingsOf): Generation {
  const { config } = usable.loaded;
  return {
    ...usable,
    number,
    policy: compilePolicy(config, number, usable.names),
    settings: settingsOf(config),
  };
}

/**
 * Reads and checks the config that is to follow the one in force, from the same place: a file that has gone
 * is an error, not a wish for the defaults. Throws a ConfigError, or an OperationError where it cannot be
 * read.
 */
export function loadNext(
  { loaded: { origin } }: Generation,
  source: ConfigSource,
): UsableConfig {
  return loadUsable({ ...source, ...(origin === BUILT_IN ? {} : { path: origin }) });
}

/**
 * Plans and compiles a config that is to follow the one in force. Throws an OperationError. Changes nothing.
 */
export function prepareGeneration(
  usable: UsableConfig,
  inForce: Generation,
  { readTextFile, settingsOf }: Pick<ConfigSource, "readTextFile"> & { readonly settingsOf: SettingsOf },
): NextGeneration {
  const plan = tryToPlan(usable.loaded, readTextFile);
  const failed = plan instanceof OperationError;
  // Where the network allows no rules at all it is not the fault of the new config.
  if (failed && !(tryToPlan(inForce.loaded, readTextFile) instanceof OperationError)) throw plan;
  return {
    ...makeGeneration(usable, inForce.number + 1, settingsOf),
    plan: failed ? undefined : plan,
  };
}

function tryToPlan(loaded: LoadedConfig, readTextFile: ConfigSource["readTextFile"]): Plan | OperationError {
  try {
    const plan = preparePlan(loaded, readTextFile, { absentInterfaces: true });
    compilerOf(loaded.config).compile(plan);
    return plan;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return error;
  }
}
