/**
 * A backend: one way to tell the kernel a plan. Each says the same intent in its own words, and none reads
 * another's. Pure.
 * @module
 */
import type { Logger } from "../../log.ts";
import type { Life, LiveProxy } from "../liveness/life.ts";
import type { Machine } from "../machine/machine.ts";
import type { ObjectStatus } from "./object_status.ts";
import type { Plan } from "../plan/model.ts";
import type { Compiler } from "./compiler.ts";

/** At once, where netlink answers; later, where programs are run. */
export type Soon<T> = T | Promise<T>;

/** The report of an install. */
export interface InstallReport {
  /** An install of ours was there already. */
  readonly replaced: boolean;
  /** In what the rules are, in words. */
  readonly place: string;
}

/** The state of the rules. */
export interface BackendStatus {
  /** Every object that was asked for, and those of others. */
  readonly objects: readonly ObjectStatus[];
  /** In what the rules are, in words. */
  readonly place: string;
}

/** The report of an uninstall. */
export interface Removal {
  /** Objects that are gone, in words. */
  readonly removed: readonly string[];
  /** Objects with a name of ours that somebody else made, in words: they are left alone. */
  readonly left: readonly string[];
}

/** An install of ours that is in the kernel. */
export interface FoundInstall {
  /** Its name in `tproxy status`. */
  readonly name: string;
  /** The same in words, for an administrator who must remove it. */
  readonly words: string;
}

/** Installs on trial: the kernel alone gives the former rules their force back, when it is over. */
export interface Trials {
  /**
   * Puts the rules of the plan before the former ones, for so many milliseconds, and both generations'
   * entries into policy routing. Throws as `install` does.
   */
  begin(plan: Plan, where: TrialPlace, timeoutMs: number): Soon<InstallReport>;
  /** Makes rules that are on trial an install. Throws as `install` does, ENOENT where the trial is over. */
  keep(plan: Plan, machine: Machine): Soon<InstallReport>;
  /**
   * Reads how many milliseconds a trial still lasts; 0: it is over, and not tidied up; undefined: none.
   * Throws an OperationError where that may not be read.
   */
  left(): number | undefined;
  /** Takes the rules on trial away: the former ones are as they were before. False: there were none. */
  remove(machine: Machine): Soon<boolean>;
}

/** The machine, and installs with other backends, which rules on trial are never mixed with. */
export interface TrialPlace {
  readonly machine: Machine;
  readonly others: readonly FoundInstall[];
}

/** Options of an install. */
export interface InstallOptions {
  /** No packet misses a rule for that; sets may have other names afterwards. Default: no. */
  readonly seamless?: boolean;
}

/** See the module. */
export interface Backend extends Compiler {
  /**
   * Makes the kernel's state that of the plan. Throws an OperationError; then the state before is there
   * again. `others`: installs with other backends; rules of two are never mixed.
   */
  install(
    plan: Plan,
    machine: Machine,
    others: readonly FoundInstall[],
    options?: InstallOptions,
  ): Soon<InstallReport>;
  readonly trials: Trials;
  /** Looks for every rule in the kernel. Other kinds of this backend count as objects that nobody wants. */
  compare(plan: Plan, machine: Machine): Soon<BackendStatus>;
  /** Finds installs of ours. No program is run where it is certain that there is none. */
  find(machine: Machine): Soon<readonly FoundInstall[]>;
  /** Lists all that has a name of ours, a line each: two lists can be compared. */
  listTraces(machine: Machine): Soon<readonly string[]>;
  /** Removes what installs have made, but for policy routing; fine when nothing is there. */
  uninstall(machine: Machine): Soon<Removal>;
  /** Gives this process the means to tell the rules that it is a running proxy. */
  life(proxy: LiveProxy, log: Logger): Life;
  /**
   * Remembers what the rules in force know of a running proxy, before others replace them. Returns the
   * function that tells the new ones, for a caller who knows that the proxy still runs.
   */
  rememberLife(proxy: LiveProxy): () => void;
}
