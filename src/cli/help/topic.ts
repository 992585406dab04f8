/**
 * A topic of `tproxy help`: what is not of one command. BusyBox has no man.
 * @module
 */
import type { AnyCommand } from "../command.ts";

/** One topic. */
export interface Topic {
  readonly name: string;
  /** One line for the list of topics: capitalized, no period. */
  readonly summary: string;
  /** Writes its paragraphs; those that begin with a blank stand as they are. `commands`: all there are. */
  write(commands: readonly AnyCommand[]): string[];
}
