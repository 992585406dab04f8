/**
 * Takes out what `install --boot` has put into a machine, and nothing else.
 * @module
 */
import { FW4_RELOAD, isFw4File } from "../../boot/fw4.ts";
import type { Env } from "../env.ts";
import { fileError } from "./apply.ts";
import { findBoot, type FoundBoot, type FoundFile } from "./state.ts";

/** Files that were removed, and files that were left. */
export interface BootRemoval {
  /** In words, one for each object. */
  readonly removed: readonly string[];
  /** Warnings: what was left, and what did not work. */
  readonly warnings: readonly string[];
  /** Commands for the administrator. */
  readonly next: readonly string[];
}

/**
 * Ends the proxy that a service manager runs, before its rules go: else it would be started again and make
 * them anew. Its live connections may end within `timeouts.drain`. Returns warnings.
 */
export async function stopServices(env: Env): Promise<string[]> {
  const warnings: string[] = [];
  for (const { manager, service, live } of findBoot(env)) {
    if (!live || service === undefined) continue;
    env.stderr(
      `tproxy: ${manager.stop.join(" ")} (live connections have ${
        service.seal!.settings.drainSeconds
      } s to end) …\n`,
    );
    const { code, output } = await env.runProgram(manager.stop);
    if (code !== 0) warnings.push(`${manager.stop.join(" ")}: ${output.trim() || `exit code ${code}`}`);
  }
  return warnings;
}

/** Removes the files that are as install made them, with `force` those that have been changed too. */
export async function removeBoot(env: Env, { force }: { force: boolean }): Promise<BootRemoval> {
  const parts: BootRemoval[] = [];
  for (const found of findBoot(env)) parts.push(await removeOne(env, found, force));
  return {
    removed: parts.flatMap(({ removed }) => removed),
    warnings: parts.flatMap(({ warnings }) => warnings),
    next: parts.flatMap(({ next }) => next),
  };
}

async function removeOne(env: Env, found: FoundBoot, force: boolean): Promise<BootRemoval> {
  const { manager, enabled, live } = found;
  const removed: string[] = [];
  const warnings: string[] = [];
  if (enabled && found.service !== undefined) {
    const { code, output } = await env.runProgram(manager.disable);
    if (code === 0) removed.push(`start at boot (${manager.disable.join(" ")})`);
    else warnings.push(`${manager.disable.join(" ")}: ${output.trim() || `exit code ${code}`}`);
  }
  const gone = found.files.filter(({ owner }) => owner === "ours" || (owner === "changed" && force));
  for (const file of gone) {
    removeFile(env, file);
    removed.push(file.path);
  }
  for (const file of found.files) {
    const why = gone.includes(file) ? undefined : whyLeft(file);
    if (why !== undefined) warnings.push(`${file.path} is left: ${why}`);
  }
  if (live && gone.length > 0) { for (const argv of manager.reload) await env.runProgram(argv); }
  const reload = gone.some(({ path }) => isFw4File(path));
  return { removed, warnings, next: reload ? [FW4_RELOAD] : [] };
}

function removeFile(env: Env, { path, folders }: FoundFile): void {
  try {
    env.files.remove(path);
  } catch (error) {
    throw fileError("remove", path, error);
  }
  for (const folder of folders) env.files.removeEmptyFolder(folder);
}

function whyLeft({ owner }: FoundFile): string | undefined {
  switch (owner) {
    case "changed":
      return 'it has been changed since install made it; remove it by hand, or with "tproxy uninstall --force"';
    case "foreign":
      return "tproxy did not make it";
    case "package":
    case "ours":
      return undefined;
    default:
      return owner satisfies never;
  }
}
