/**
 * Judges what of the start at boot is there against what this program and its config want.
 * @module
 */
import { bootFiles } from "../../boot/managers.ts";
import type { BootSettings, ManagerName } from "../../boot/model.ts";
import type { LoadedConfig } from "../../config/load.ts";
import type { Env } from "../env.ts";
import { configSettings } from "./settings.ts";
import { findBoot, type FoundBoot, type FoundFile } from "./state.ts";

/**
 * State of a file: right; made by another version or for other settings; changed by hand; somebody else's;
 * missing.
 */
export type BootFileState = "present" | "outdated" | "changed" | "foreign" | "missing";

/** One file of the start at boot. */
export interface BootFileStatus {
  readonly path: string;
  readonly state: BootFileState;
  readonly detail?: string;
}

/** The start at boot by one service manager. */
export interface BootStatus {
  readonly manager: ManagerName;
  readonly enabled: boolean;
  readonly files: readonly BootFileStatus[];
}

/** Standard by which the files are judged: the config in use, and its name in boot files. */
export interface BootQuestion {
  readonly loaded: LoadedConfig;
  readonly config: string | undefined;
}

/** Every start at boot that is set up; usually one, or none. */
export function readBootStatus(env: Env, question: BootQuestion): BootStatus[] {
  return findBoot(env).map((found) => judgeBoot(env, found, question));
}

function judgeBoot(env: Env, found: FoundBoot, question: BootQuestion): BootStatus {
  const { manager, enabled, service } = found;
  const has = (path: string) => env.files.stat(path) !== undefined;
  const wanted = service?.seal === undefined
    ? []
    : bootFiles(manager, { settings: service.seal.settings, maker: service.seal.maker, has });
  const files = found.files.map((file): BootFileStatus => {
    const { path } = file;
    switch (file.owner) {
      case "foreign":
        return { path, state: "foreign", detail: "tproxy did not make it" };
      case "changed":
        return { path, state: "changed", detail: "by hand" };
      case "ours":
      case "package": {
        const why = whyOutdated(env, file, { ...question, wanted: wantedText(wanted, file, found) });
        return why === undefined ? { path, state: "present" } : { path, state: "outdated", detail: why };
      }
      default:
        return file.owner satisfies never;
    }
  });
  const missing = wanted.filter(({ path }) => !has(path) && path !== manager.service)
    .map(({ path }): BootFileStatus => ({ path, state: "missing" }));
  return { manager: manager.name, enabled, files: [...files, ...missing] };
}

/** Returns the text that this version writes there; a package's unit stands elsewhere than ours. */
function wantedText(
  wanted: ReturnType<typeof bootFiles>,
  { path }: FoundFile,
  { manager }: FoundBoot,
): string | undefined {
  return wanted.find((file) => file.path === (path === manager.packaged ? manager.service : path))?.text;
}

function whyOutdated(
  env: Env,
  { text, seal }: FoundFile,
  { loaded, config, wanted }: BootQuestion & { wanted: string | undefined },
): string | undefined {
  const { settings } = seal!;
  if (env.files.stat(settings.binary) === undefined) return `the program ${settings.binary} is not there`;
  if (text !== wanted) return 'of another version; "tproxy install --boot auto" writes it anew';
  const other = describeOther(settings, config);
  if (other !== undefined) return other;
  const now = configSettings(loaded);
  const keys = (["drainSeconds", "mark", "backend"] as const).filter((key) => now[key] !== settings[key]);
  const names = { drainSeconds: "timeouts.drain", mark: "kernel.mark", backend: "kernel.backend" };
  return keys.length === 0
    ? undefined
    : `the config has changed since (${keys.map((key) => names[key]).join(", ")}); ` +
      '"tproxy install --boot auto" writes it anew';
}

/** Says that boot files use another config than the one that a command uses; undefined: they do not. */
export function describeOther(settings: BootSettings, config: string | undefined): string | undefined {
  return settings.config === config ? undefined : `it uses ${settings.config ?? "the usual config"}`;
}
