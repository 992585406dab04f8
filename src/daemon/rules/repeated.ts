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
    if (this.#isNew(topic, message, fields)) this.#log.warn(message, fields);
  }

  /** The same of what no client can be served with. */
  error(topic: string, message: string, fields: LogFields = {}): void {
    if (this.#isNew(topic, message, fields)) this.#log.error(message, fields);
  }

  /** The state is over: when it begins again, it is said again. */
  forget(topic: string): void {
    this.#said.delete(topic);
  }

  /** All are over. */
  forgetAll(): void {
    this.#said.clear();
  }

  #isNew(topic: string, message: string, fields: LogFields): boolean {
    const text = JSON.stringify([message, fields]);
    if (this.#said.get(topic) === text) return false;
    this.#said.set(topic, text);
    return true;
  }
}
