/**
 * The common part of the TCP and the UDP benchmark: contestants, samples, a way to run and to judge them.
 * @module
 */
import type { Lab, LabOptions } from "../../../tests/laboratory/lab.ts";

/** The name of tproxy that takes flows before the router does: by it the price of asking is told. */
export const EARLY = "tproxy, admission: early";

/** `listener.workers` of tproxy; HAProxy has one thread in any case. */
export type Workers = number | "auto";

/** One of those that are compared. */
export interface Contestant {
  readonly name: string;
  readonly lab: LabOptions;
  /** Makes the laboratory's router do it; gives the process whose resources are measured. */
  start(lab: Lab, workers: Workers): Promise<number | undefined>;
}

/** The numbers of one turn, by measure; what was not asked for is not there. */
export type Sample = Partial<Record<string, number>>;

/** All samples of each contestant, by name. */
export type Results = Map<string, Sample[]>;

/** Options of one turn. */
export interface TurnOptions {
  /** Duration of each measurement, seconds. */
  readonly seconds: number;
  /** Names of what is measured; none: everything. */
  readonly only?: readonly string[];
  readonly workers: Workers;
  /** Connections at once of `requests` and `connections`. */
  readonly concurrency: number;
}

/** Verdict on the targets, one line each. */
export interface Verdict {
  readonly lines: string[];
  readonly held: boolean;
}

/** One benchmark. */
export interface Suite {
  readonly name: string;
  /** In the order of the table. */
  readonly contestants: readonly Contestant[];
  /** Names that `--measures` takes. */
  readonly measures: readonly string[];
  readonly defaults: { readonly rounds: number; readonly seconds: number };
  /** Prepares the suite once, before the first round. */
  prepare?(): Promise<void>;
  /** Measures a contestant once. */
  turn(contestant: Contestant, options: TurnOptions): Promise<Sample>;
  /** Measures that are printed of each sample as it comes. */
  readonly headlines: readonly string[];
  /** The table for the README. */
  format(results: Results): string;
  /** Undefined where a contestant is missing. */
  judge(results: Results): Verdict | undefined;
}
