/**
 * A command. Each is one file in commands/.
 * @module
 */
import type { Parser } from "@optique/core/parser";
import type { Env } from "./env.ts";

/** A command of the program, with `T` the type of its parsed options. */
export interface Command<T> {
  readonly name: string;
  /** One line for the list of commands: capitalized, no period. */
  readonly summary: string;
  /** Further paragraphs for the command's own help. */
  readonly details?: readonly string[];
  /** Command lines that show its use, without `tproxy`. */
  readonly examples?: readonly string[];
  /** Verbs change the state of the machine, nouns read it. */
  readonly changesState: boolean;
  /** Its options and arguments. */
  readonly parser: Parser<"sync", T, unknown>;
  /** Its short options that have a value, in one string: that value may be attached to them, `-w3`. */
  readonly valueLetters?: string;
  /** Values of its long options that stand without one, by name. */
  readonly defaultValues?: Readonly<Record<string, string>>;
  /** The exit code of a wrong command line, where scripts count on another one than 2. */
  readonly usageCode?: number;
  /**
   * Does the work and returns the exit code: 0 done, 1 failed, 2 wrong usage or invalid config. `commands` is
   * for those that speak of others.
   */
  run(env: Env, options: T, commands: Commands): number | Promise<number>;
}

/** A command of whatever options. */
export type AnyCommand = Command<unknown>;

/** All commands of the program. */
export interface Commands {
  /** Their names, in the order in which help lists them. */
  readonly names: readonly string[];
  /** Loads the command of that name; `undefined` if there is none. */
  load(name: string): Promise<AnyCommand | undefined>;
  /** Loads all commands. */
  loadAll(): Promise<AnyCommand[]>;
}
