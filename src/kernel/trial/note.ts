/**
 * The note about a trial, for those who confirm it or tidy up after it. The kernel alone enforces a trial:
 * without the note the former rules hold again all the same. Like them it is gone after a boot.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import { endWatcher } from "./watcher.ts";

/** The command that has begun a trial. */
export interface TrialOrigin {
  /** The config's file; undefined: the usual one, or none. */
  readonly config?: string;
  /** Tells that config from others. */
  readonly fingerprint: string;
  /** Service manager for the start at boot, which only a confirmed install gets. */
  readonly boot?: string;
  readonly force: boolean;
  /** SSH_CONNECTION of the session; undefined: of none. */
  readonly session?: string;
}

/** The note. */
export interface TrialNote {
  readonly version: 1;
  readonly origin: TrialOrigin;
  /** Labels of entries that the trial has added to policy routing. */
  readonly routing: readonly string[];
  /**
   * The end of the trial in milliseconds since the boot, where the kernel enforces it and does not tell when
   * that is.
   */
  readonly endsAtMs?: number;
  /** Process id of its watcher. */
  readonly watcher?: number;
}

/** Reads the time since the boot, which no clock that is set changes. */
export function uptimeMs(): number {
  return Math.round(Number(Deno.readTextFileSync("/proc/uptime").split(" ", 1)[0]) * 1000);
}

/** The network namespace of this process. */
const NAMESPACE = "/proc/self/ns/net";

/** Its number; a reboot or another namespace has another note. */
function notePath(): string {
  return `/run/tproxy-trial-${Deno.statSync(NAMESPACE).ino}.json`;
}

/** Does the work while no other process of this network namespace does any of the kind. */
export async function alone<T>(work: () => Promise<T> | T): Promise<T> {
  using namespace = Deno.openSync(NAMESPACE, { read: true });
  await namespace.lock(true);
  return await work();
}

/** Reads the note; undefined: there is none that could be read. */
export function readNote(): TrialNote | undefined {
  try {
    const note = JSON.parse(Deno.readTextFileSync(notePath()));
    return note?.version === 1 ? note : undefined;
  } catch {
    return undefined;
  }
}

/** Tells whether the note is there, whoever may read it. */
export function isNoted(): boolean {
  try {
    return Deno.statSync(notePath()).isFile;
  } catch {
    return false;
  }
}

/** Tells whether the note is there and another user's: who may read it tidies up by it. */
export function isNoteHidden(): boolean {
  try {
    Deno.readTextFileSync(notePath());
    return false;
  } catch (error) {
    return error instanceof Deno.errors.PermissionDenied;
  }
}

/** Writes the note, before anything is changed. Throws an OperationError. */
export function writeNote(note: TrialNote): void {
  const path = notePath();
  try {
    Deno.writeTextFileSync(`${path}.new`, JSON.stringify(note), { mode: 0o600 });
    Deno.renameSync(`${path}.new`, path);
  } catch (error) {
    throw new OperationError({
      operation: "write",
      object: path,
      reason: error instanceof Error ? error.message : String(error),
      hint: "A trial has to be noted there",
    });
  }
}

/** Removes the note, and ends the watcher; fine where there is none. */
export function removeNote(): void {
  const watcher = readNote()?.watcher;
  if (watcher !== undefined) endWatcher(watcher);
  try {
    Deno.removeSync(notePath());
  } catch {
    // There is none, or nobody may.
  }
}
