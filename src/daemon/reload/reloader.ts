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
import { monotonicMilliseconds } from "../../../ffi/clock.ts";
import { formatProblem } from "../../config/error.ts";
import type { Logger } from "../../log.ts";
import { changedFiles } from "./changed_files.ts";
import { type Changes, compareConfigs } from "./changes.ts";
import { describeDifference } from "./difference.ts";
import type { Generation, NextGeneration, UsableConfig } from "./generation.ts";
import { type Refusal, refusalOf, type ReloadOutcome } from "./outcome.ts";

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
  /** Moment at which it came into force: milliseconds of CLOCK_MONOTONIC. */
  since = monotonicMilliseconds();
  readonly #parts: ReloadParts;
  #work: Promise<void> | undefined;
  /** The reload that was asked for and has not begun. */
  #next: PromiseWithResolvers<ReloadOutcome> | undefined;
  #closed = false;

  constructor(first: Generation, parts: ReloadParts) {
    this.inForce = first;
    this.#parts = parts;
  }

  /**
   * Asks for a reload; one that is asked for during another comes after it, once however often it was asked
   * for. Resolves with its outcome.
   */
  request(): Promise<ReloadOutcome> {
    if (this.#closed) {
      this.#parts.log.info("no reload: the proxy is about to end");
      return Promise.resolve(this.#ending());
    }
    this.#next ??= Promise.withResolvers();
    const { promise } = this.#next;
    this.#work ??= this.#run();
    return promise;
  }

  /** Begins no other reload. Resolves when none is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#next?.resolve(this.#ending());
    this.#next = undefined;
    await this.#work;
  }

  #ending(): ReloadOutcome {
    const reasons = ["the proxy is about to end"];
    return { state: "ending", generation: this.inForce.number, reasons };
  }

  async #run(): Promise<void> {
    for (let asked = this.#next; asked !== undefined; asked = this.#next) {
      this.#next = undefined;
      this.#parts.begun();
      try {
        asked.resolve(await this.#reload());
      } finally {
        this.#parts.ended();
      }
    }
    this.#work = undefined; // here: a reload that is asked for a moment later must not be left to this one
  }

  async #reload(): Promise<ReloadOutcome> {
    try {
      const usable = this.#parts.load(this.inForce);
      const changes = compareConfigs(this.inForce.loaded.config, usable.loaded.config);
      if (changes.restart.length > 0) {
        return this.#refuse({ state: "bad-config", reasons: [describeRestart(changes.restart, usable)] });
      }
      return await this.#adopt(this.#parts.prepare(usable, this.inForce), changes);
    } catch (error) {
      return this.#refuse(refusalOf(error));
    }
  }

  async #adopt(next: NextGeneration, { adoptable, kernel }: Changes): Promise<ReloadOutcome> {
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
    this.since = monotonicMilliseconds();
    adoptRest(next);
    // The number keeps lines of many reloads from being taken for repetitions of one.
    log.info(`reloaded: generation ${next.number} is in force`, {
      config: next.loaded.origin,
      changed: changed.length === 0 ? "nothing" : changed.join(","),
    });
    for (const warning of next.warnings) if (!before.warnings.includes(warning)) log.warn(warning);
    return {
      state: "adopted",
      generation: next.number,
      config: next.loaded.origin,
      changed,
      difference: describeDifference(before.loaded.config, next.loaded.config),
      warnings: next.warnings,
    };
  }

  #refuse({ state, reasons }: Refusal): ReloadOutcome {
    this.refusal = reasons[0];
    const { number } = this.inForce;
    for (const reason of reasons) {
      this.#parts.log.error(`not reloaded: ${reason}`, { "in-force": `generation ${number}` });
    }
    return { state, generation: number, reasons };
  }
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
