/**
 * Warnings about a state that lasts: each is said when it begins, or when its reason changes, not at each
 * look.
 * @module
 */
import type { LogFields, Logger } from "../../log.ts";

/** See the module. */
export class Repeated {
  readonly #log: Logger;
  readonly #said = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Warns, unless the same was said about `topic` last. */
  warn(topic: string, message: string, fields: LogFields = {}): void {
    const text = JSON.stringify([message, fields]);
    if (this.#said.get(topic) === text) return;
    this.#said.set(topic, text);
    this.#log.warn(message, fields);
  }

  /** The state is over: when it begins again, it is said again. */
  forget(topic: string): void {
    this.#said.delete(topic);
  }

  /** All are over. */
  forgetAll(): void {
    this.#said.clear();
  }
}
