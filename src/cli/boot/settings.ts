/**
 * From this program, its command line and its config to the settings of the boot files; and whether a start
 * at boot can rely on them.
 * @module
 */
import type { BootSettings, ServiceManager } from "../../boot/model.ts";
import { isInHome, whyVolatile } from "../../boot/place.ts";
import { isPlainPath } from "../../boot/words.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { DEFAULT_CACHE_PATH, DEFAULT_CONFIG_PATH } from "../../constants.ts";
import { backendOf } from "../../kernel/backends.ts";
import { OperationError } from "../../net/error.ts";
import { STREAM } from "../arguments/config_option.ts";
import type { Env } from "../env.ts";

/** Everybody may read: what a user of its own needs. */
const READABLE = 0o004;
/** Everybody may read and execute. */
const EXECUTABLE = 0o005;
/** Everybody may pass: what folders need. */
const PASSABLE = 0o001;

/**
 * The config that a command line names, as boot files name it; undefined: the usual one, or a stream that has
 * no name.
 */
export function namedConfig(env: Env, option: string | undefined): string | undefined {
  if (option === undefined || option === STREAM) return undefined;
  const path = env.files.realPath(option.startsWith("/") ? option : `${env.cwd()}/${option}`);
  return path === DEFAULT_CONFIG_PATH ? undefined : path;
}

/** The part of the settings that the config decides. */
export function configSettings(
  { config }: LoadedConfig,
): Pick<BootSettings, "drainSeconds" | "mark" | "backend"> {
  const { mark, backend } = config.kernel;
  return { drainSeconds: Math.ceil(config.timeouts.drainMs / 1000), mark, backend };
}

/** Throws an OperationError where the start at boot would fail: nothing has been changed then. */
export function makeSettings(
  env: Env,
  loaded: LoadedConfig,
  { manager, config }: { manager: ServiceManager; config: string | undefined },
): BootSettings {
  const { self, files } = env;
  if (self.args.length > 0) {
    throw refuse(
      "program",
      "it runs from its source",
      'Make the single file with "scripts/build" and run that',
    );
  }
  const binary = files.realPath(self.command);
  const ownUser = manager.ownUser && !backendOf(loaded.config).needsRoot;
  const lists = loaded.config.rules.flatMap(({ fromFile, toFile }) => [fromFile, toFile])
    .filter((path) => path !== undefined);
  requirePlace(env, binary, { hint: "Copy it to /usr/local/bin or /usr/bin and run it from there" });
  if (manager.ownUser) {
    requireAccess(env, binary, { want: EXECUTABLE, hint: `chmod 755 ${binary}`, ownUser: true });
  }
  const read = config ?? DEFAULT_CONFIG_PATH;
  for (const path of files.stat(read) === undefined ? [] : [read, ...lists]) {
    requirePlace(env, files.realPath(path), { hint: "Put it into /etc/tproxy" });
    if (manager.ownUser) requireAccess(env, path, { want: READABLE, hint: `chmod a+r ${path}`, ownUser });
  }
  const cache = chosenCache(env, manager);
  return {
    binary,
    ...(config === undefined ? {} : { config }),
    ...(cache === undefined ? {} : { cache }),
    ...configSettings(loaded),
  };
}

/**
 * The place that the launcher has unpacked into (it tells by TPROXY_CACHE_DIR), where that is not the usual
 * one, outlives a boot and is open to the service.
 */
function chosenCache(env: Env, manager: ServiceManager): string | undefined {
  const cache = env.getenv("TPROXY_CACHE_DIR");
  if (cache === undefined || cache === "" || cache === DEFAULT_CACHE_PATH) return undefined;
  const real = env.files.realPath(cache.startsWith("/") ? cache : `${env.cwd()}/${cache}`);
  const closed = manager.ownUser && (isInHome(real) || env.files.stat(real)?.uid !== 0);
  return closed || !isPlainPath(real) || volatile(env, real) !== undefined ? undefined : real;
}

/** Says where the program unpacks at each boot anew because that place is memory; undefined: it does not. */
export function describeVolatileCache(env: Env, { cache }: BootSettings): string | undefined {
  // The installed form, and one that is mounted from the file, unpack nothing and name no place.
  if (env.getenv("TPROXY_CACHE_DIR") === undefined) return undefined;
  const place = env.files.realPath(cache ?? DEFAULT_CACHE_PATH);
  return volatile(env, place) === undefined
    ? undefined
    : `${place} is in memory: the program unpacks into it at each boot. To name a better place, on a disk or flash, ` +
      "set TPROXY_CACHE_DIR and run this command again";
}

function requirePlace(env: Env, path: string, { hint }: { hint: string }): void {
  if (!isPlainPath(path)) {
    throw refuse(path, "its name has blanks or signs that service managers take specially", hint);
  }
  const why = volatile(env, path);
  if (why !== undefined) throw refuse(path, why, hint);
}

function volatile(env: Env, path: string): string | undefined {
  let mountInfo = "";
  try {
    mountInfo = env.readTextFile("/proc/self/mountinfo");
  } catch { // without /proc the names of folders must do
  }
  return whyVolatile(path, mountInfo);
}

/** The service has no access to homes, and its own user, where it has one, no other right than everybody. */
function requireAccess(
  env: Env,
  path: string,
  { want, hint, ownUser }: { want: number; hint: string; ownUser: boolean },
): void {
  const real = env.files.realPath(path);
  if (isInHome(real)) {
    throw refuse(path, "the service has no access to homes (ProtectHome=)", "Put it elsewhere");
  }
  if (!ownUser) return;
  const parts = real.split("/").slice(1, -1);
  const folders = parts.map((_, i) => `/${parts.slice(0, i + 1).join("/")}`);
  const closed = folders.find((folder) => !((env.files.stat(folder)?.mode ?? PASSABLE) & PASSABLE));
  const user = "the proxy runs as the user tproxy, not as root";
  if (closed !== undefined) {
    throw refuse(path, `${closed} is closed to others; ${user}`, `chmod a+x ${closed}`);
  }
  const mode = env.files.stat(real)?.mode ?? want;
  if ((mode & want) !== want) throw refuse(path, `it is closed to others; ${user}`, hint);
}

function refuse(object: string, reason: string, hint: string): OperationError {
  return new OperationError({ operation: "start at boot with", object, reason, hint });
}
