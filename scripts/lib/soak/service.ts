/**
 * The proxy as a service manager sees it: the process that holds the listeners, which upgrades change, and
 * one log of all that have held them.
 * @module
 */
import { isAlive } from "../../../tests/laboratory/machine/procfs.ts";
import { until } from "../../../tests/laboratory/machine/wait.ts";
import type { Proxy } from "../../../tests/laboratory/proxy/proxy.ts";

/** The end of a process, on a machine that does much else. */
const END_MS = 60_000;

/** See the module. */
export class Service {
  /** Its output is the log: who takes over writes where the one before has written. */
  readonly #first: Proxy;
  #pid: number;

  constructor(first: Proxy) {
    this.#first = first;
    this.#pid = first.pid;
  }

  get pid(): number {
    return this.#pid;
  }

  get configPath(): string {
    return this.#first.configPath;
  }

  get log(): string {
    return this.#first.log;
  }

  get running(): boolean {
    return isAlive(this.#pid);
  }

  /** Another process holds the listeners from now on. */
  becomes(pid: number): void {
    this.#pid = pid;
  }

  /** Sends it a signal, if it lives. */
  signal(name: Deno.Signal): void {
    if (this.running) Deno.kill(this.#pid, name);
  }

  /** Waits for its end. */
  async ended(): Promise<void> {
    await until(() => !this.running, { what: `end of the proxy with pid ${this.#pid}`, timeoutMs: END_MS });
  }
}
