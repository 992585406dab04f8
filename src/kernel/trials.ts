/**
 * Installs on trial. The kernel alone ends a trial: then the former rules hold again, or none, though no
 * process is left. This program only takes away those that have no effect any more.
 * @module
 */
import { OperationError } from "../net/error.ts";
import type { InstallReport } from "./backend/backend.ts";
import {
  backendOf,
  findInstalls,
  findOthers,
  readTrialLeft,
  removeTrials,
  trialLeft,
  type Wanted,
} from "./backends.ts";
import { type Machine, type ReadTextFile, withMachine } from "./machine/machine.ts";
import { findDifference } from "./routing/compare.ts";
import { removeEntries } from "./routing/apply.ts";
import { readRouting } from "./routing/state.ts";
import {
  alone,
  isNoted,
  isNoteHidden,
  readNote,
  removeNote,
  type TrialNote,
  type TrialOrigin,
  uptimeMs,
  writeNote,
} from "./trial/note.ts";
import { refuseMisleading } from "./routing/misleading.ts";
import { startWatcher } from "./trial/watcher.ts";

export { trialLeft };

/** Tells whether there is something of a trial, though it may be over: nobody has tidied up then. */
export function hasTraceOfTrial(): boolean {
  return isNoted() || trialLeft() !== undefined;
}

/**
 * Puts the rules of the plan before the former ones, for so many milliseconds. Throws an OperationError; then
 * the state before is there again, and nothing is on trial.
 */
export async function beginTrial(
  { plan, config }: Wanted,
  readTextFile: ReadTextFile,
  { timeoutMs, origin }: { readonly timeoutMs: number; readonly origin: TrialOrigin },
): Promise<InstallReport> {
  const backend = backendOf(config);
  return await alone(async () => {
    await tidy(readTextFile);
    return await withMachine(readTextFile, async (machine) => {
      const others = await findOthers(backend, machine);
      const installed = readRouting(machine.route);
      refuseMisleading(plan, installed, machine.route);
      const before = readNote();
      const routing = findDifference(plan, installed).missing.map(({ label }) => label);
      // Of a trial that goes on the note stays: the begin of another is refused.
      const endsAtMs = () => uptimeMs() + Math.ceil(timeoutMs / 1000) * 1000;
      if (before === undefined) writeNote({ version: 1, origin, routing, endsAtMs: endsAtMs() });
      try {
        const report = await backend.trials.begin(plan, { machine, others }, timeoutMs);
        writeNote({ version: 1, origin, routing, endsAtMs: endsAtMs() }); // the kernel counts from now
        return report;
      } catch (error) {
        if (before === undefined) removeNote();
        throw error;
      }
    });
  });
}

/** Has somebody tidy up when the trial is over; `command`: what does that. */
export function watchTrial(command: readonly string[], timeoutMs: number): void {
  const note = readNote();
  const watcher = note && startWatcher(command, timeoutMs);
  if (watcher !== undefined) writeNote({ ...note!, watcher });
}

/**
 * Gives the note of a trial that goes on. Throws an OperationError where there is none, it is over, or it may
 * not be read.
 */
export async function requireTrial(): Promise<TrialNote> {
  const left = readTrialLeft();
  if (left === undefined) throw refusal("nothing is on trial", 'It is for "tproxy install --confirm 60s"');
  if (left === 0) {
    await tidyTrial();
    throw overAlready();
  }
  const note = readNote();
  if (note === undefined) throw refusal("the note about the trial is gone", INSTALL_AGAIN);
  return note;
}

/** Makes what is on trial an install. Throws an OperationError; then the trial goes on, unless it is over. */
export async function confirmTrial(
  { plan, config }: Wanted,
  readTextFile: ReadTextFile = Deno.readTextFileSync,
): Promise<InstallReport> {
  const { trials } = backendOf(config);
  return await alone(async () => {
    try {
      const report = await withMachine(readTextFile, async (machine) => await trials.keep(plan, machine));
      removeNote();
      return report;
    } catch (error) {
      if (!(error instanceof OperationError) || error.code !== "ENOENT") throw error;
      await tidy(readTextFile);
      throw overAlready();
    }
  });
}

/**
 * Takes away what a trial has left that is over; `early`: also of one that goes on. Returns whether there was
 * something. It keeps nobody from his work: never throws an OperationError.
 */
export async function tidyTrial(options: { readonly early?: boolean } = {}): Promise<boolean> {
  if (trialLeft() === undefined && readNote() === undefined) return false;
  return await alone(() => tidy(Deno.readTextFileSync, options));
}

/** Forgets a trial whose rules an uninstall has removed with all others. */
export function forgetTrial(): void {
  removeNote();
}

async function tidy(
  readTextFile: ReadTextFile,
  { early = false }: { readonly early?: boolean } = {},
): Promise<boolean> {
  if (isNoteHidden()) return false;
  try {
    return await withMachine(readTextFile, (machine) => tidyMachine(machine, early));
  } catch (error) {
    if (error instanceof OperationError) return false; // no privilege
    throw error;
  }
}

async function tidyMachine(machine: Machine, early: boolean): Promise<boolean> {
  const left = trialLeft();
  if (left !== undefined && left > 0 && !early) return false;
  const ended = left !== undefined && await removeTrials(machine);
  const note = readNote();
  // Somebody may have flushed all rules. Where there are others by now, routing is theirs.
  if (note !== undefined && (ended || (await findInstalls(machine)).length === 0)) {
    removeEntries(machine.route, ({ label }) => note.routing.includes(label));
  }
  removeNote();
  return ended;
}

const INSTALL_AGAIN = 'Run "tproxy install" again';

function refusal(reason: string, hint: string): OperationError {
  return new OperationError({ operation: "confirm", object: "install", reason, hint });
}

function overAlready(): OperationError {
  return refusal("the trial is over; the rules before it hold again", INSTALL_AGAIN);
}
