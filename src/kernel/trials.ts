/**
 * Installs on trial. The kernel alone ends a trial: then the former rules hold again, or none, though no
 * process is left. This program only takes away those that have no effect any more.
 * @module
 */
import { OperationError, unlessRefused } from "../net/error.ts";
import type { NetlinkConnection } from "../netlink/connection.ts";
import { openNetlink } from "../netlink/transport.ts";
import type { InstallReport } from "./backend/backend.ts";
import { backendOf, findOthers, type Wanted } from "./backends.ts";
import { type ReadTextFile, withMachine } from "./machine/machine.ts";
import { readTableIfPossible } from "./nft/state/state.ts";
import { readTrial, removeTrial } from "./nft/trial/state.ts";
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
  writeNote,
} from "./trial/note.ts";
import { refuseMisleading } from "./trial/refusal.ts";
import { startWatcher } from "./trial/watcher.ts";

/** Attempts at a change of rules, which others may change at the same time. */
const ATTEMPTS = 5;

/** Tells how many milliseconds a trial still lasts; 0: it is over; undefined: none, or it may not be read. */
export function trialLeft(): number | undefined {
  return unlessRefused(readLeft);
}

function readLeft(): number | undefined {
  using netfilter = openNetlink("netfilter");
  return readTrial(netfilter);
}

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
  const { trials } = backend;
  if (trials === undefined) throw withoutTrials(backend.name);
  return await alone(() => {
    tidy();
    return withMachine(readTextFile, async (machine) => {
      const others = await findOthers(backend, machine);
      const installed = readRouting(machine.route);
      refuseMisleading(plan, installed, machine.route);
      const before = readNote();
      const routing = findDifference(plan, installed).missing.map(({ label }) => label);
      // Of a trial that goes on the note stays: the begin of another is refused.
      if (before === undefined) writeNote({ version: 1, origin, routing });
      try {
        return trials.begin(plan, others, timeoutMs);
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
  const left = readLeft();
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
export async function confirmTrial({ plan, config }: Wanted): Promise<InstallReport> {
  const { trials, name } = backendOf(config);
  if (trials === undefined) throw withoutTrials(name);
  return await alone(() => {
    try {
      const report = trials.keep(plan);
      removeNote();
      return report;
    } catch (error) {
      if (!(error instanceof OperationError) || error.code !== "ENOENT") throw error;
      tidy();
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
  return await alone(() => tidy(options));
}

/** Forgets a trial whose rules an uninstall has removed with all others. */
export function forgetTrial(): void {
  removeNote();
}

function tidy({ early = false }: { readonly early?: boolean } = {}): boolean {
  if (isNoteHidden()) return false;
  return unlessRefused(() => {
    using netfilter = openNetlink("netfilter");
    const ended = remove(netfilter, { early });
    if (!ended && readTrial(netfilter) !== undefined) return false;
    const note = readNote();
    // Somebody may have flushed all rules. Where there are others by now, routing is theirs.
    if (note !== undefined && (ended || readTableIfPossible(netfilter) === undefined)) {
      using route = openNetlink("route");
      removeEntries(route, ({ label }) => note.routing.includes(label));
    }
    removeNote();
    return ended;
  }) ?? false;
}

function remove(netfilter: NetlinkConnection, options: { readonly early: boolean }): boolean {
  for (let attempt = 1;; attempt++) {
    try {
      return removeTrial(netfilter, options);
    } catch (error) {
      const again = error instanceof OperationError && error.code === "ERESTART" && attempt < ATTEMPTS;
      if (!again) throw error;
    }
  }
}

const INSTALL_AGAIN = 'Run "tproxy install" again';

function refusal(reason: string, hint: string): OperationError {
  return new OperationError({ operation: "confirm", object: "install", reason, hint });
}

function overAlready(): OperationError {
  return refusal("the trial is over; the rules before it hold again", INSTALL_AGAIN);
}

function withoutTrials(backend: string): OperationError {
  return new OperationError({
    operation: "use option",
    object: "--confirm",
    reason: `rules of kernel.backend: ${backend} cannot be on trial`,
    hint: 'Without --confirm the install holds at once; "tproxy uninstall" takes it back',
  });
}
