/**
 * Reloads: the next config comes into force whole, or the one in force stays and somebody is told why.
 *
 * ```
 * load ──► compare ──► prepare ──► workers ──► kernel ──► in force
 *   │         │           │           │          │ refuses: the workers go back
 *   └─────────┴───────────┴───────────┴──────────┴──► refused
 * ```
 * Workers first: they can serve what either kernel sends them.
 * @module
 */
import { ConfigError, formatProblem } from "../../config/error.ts";
import type { Logger } from "../../log.ts";
import { OperationError } from "../../net/error.ts";
import { changedFiles } from "./changed_files.ts";
import { type Changes, compareConfigs } from "./changes.ts";
import type { Generation, NextGeneration, UsableConfig } from "./generation.ts";

/** Parts that a reload works on. */
export interface ReloadParts {
  readonly log: Logger;
  /** Reads the config that is to follow; throws an OperationError. */
  load(inForce: Generation): UsableConfig;
  /** Plans and compiles it; throws an OperationError. */
  prepare(usable: UsableConfig, inForce: Generation): NextGeneration;
  /** Resolves when every worker has taken it; throws an OperationError. */
  adoptWorkers(generation: Generation): Promise<void>;
  /**
   * Resolves when the rules are right, or somebody else's. Throws an OperationError; they are as before then.
   * `changed`: they depend on what has changed.
   */
  adoptRules(next: NextGeneration, changed: boolean): Promise<void>;
  /** All that is neither the workers' nor the kernel's. Does not fail. */
  adoptRest(generation: Generation): void;
  /** A reload begins, or has ended. */
  begun(): void;
  ended(): void;
}

/** See the module. */
export class Reloader {
  /** The config in force. */
  inForce: Generation;
  /** Reason why the last reload was refused; undefined: it was not. */
  refusal: string | undefined;
  /** Time at which it came into force: milliseconds since 1970. */
  since = Date.now();
  readonly #parts: ReloadParts;
  #work: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(first: Generation, parts: ReloadParts) {
    this.inForce = first;
    this.#parts = parts;
  }

  /**
   * Asks for a reload; one that is asked for during another comes after it, once however often it was asked
   * for.
   */
  request(): void {
    if (this.#closed) return this.#parts.log.info("no reload: the proxy is about to end");
    this.#again = true;
    this.#work ??= this.#run().finally(() => this.#work = undefined);
  }

  /** Begins no other reload. Resolves when none is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#again = false;
    await this.#work;
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      this.#parts.begun();
      try {
        await this.#reload();
      } finally {
        this.#parts.ended();
      }
    }
  }

  async #reload(): Promise<void> {
    try {
      const usable = this.#parts.load(this.inForce);
      const changes = compareConfigs(this.inForce.loaded.config, usable.loaded.config);
      if (changes.restart.length > 0) return this.#refuse([describeRestart(changes.restart, usable)]);
      await this.#adopt(this.#parts.prepare(usable, this.inForce), changes);
    } catch (error) {
      this.#refuse(linesOf(error));
    }
  }

  async #adopt(next: NextGeneration, { adoptable, kernel }: Changes): Promise<void> {
    const { log, adoptWorkers, adoptRules, adoptRest } = this.#parts;
    const before = this.inForce;
    await adoptWorkers(next);
    try {
      await adoptRules(next, kernel);
    } catch (error) {
      await adoptWorkers(before);
      throw error;
    }
    const changed = [...adoptable, ...changedFiles(before, next)];
    this.inForce = next;
    this.refusal = undefined;
    this.since = Date.now();
    adoptRest(next);
    // The number keeps lines of many reloads from being taken for repetitions of one.
    log.info(`reloaded: generation ${next.number} is in force`, {
      config: next.loaded.origin,
      changed: changed.length === 0 ? "nothing" : changed.join(","),
    });
    for (const warning of next.warnings) if (!before.warnings.includes(warning)) log.warn(warning);
  }

  #refuse(lines: readonly string[]): void {
    this.refusal = lines[0];
    const { number } = this.inForce;
    for (const line of lines) {
      this.#parts.log.error(`not reloaded: ${line}`, { "in-force": `generation ${number}` });
    }
  }
}

/**
 * Writes an error as `tproxy check` prints it: a line for each problem. A defect of this program ends no
 * connection either.
 */
function linesOf(error: unknown): string[] {
  if (error instanceof ConfigError) {
    return error.problems.map((problem) => formatProblem(error.file, problem));
  }
  if (error instanceof OperationError) return [error.message];
  return [error instanceof Error ? error.stack ?? error.message : String(error)];
}

/**
 * `tproxy.yaml:4:3: listener.port has changed: restart the proxy`, with the first place that the file has for
 * them.
 */
function describeRestart(keys: readonly string[], { loaded: { origin, locate } }: UsableConfig): string {
  const text = `${keys.join(", ")} ${keys.length === 1 ? "has" : "have"} changed: restart the proxy`;
  const place = keys.map((key) => locate(key.split("."))).find((found) => found !== undefined);
  return formatProblem(origin, { ...(place ?? { line: 0, column: 0 }), text });
}
