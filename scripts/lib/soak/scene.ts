/**
 * The scene that disturbances work on: the laboratory, the proxy of the moment, and what they have done.
 * @module
 */
import type { Lab } from "../../../tests/laboratory/lab.ts";
import { until } from "../../../tests/laboratory/machine/wait.ts";
import type { Proxy } from "../../../tests/laboratory/proxy/proxy.ts";
import type { Window } from "./windows.ts";
import { countPast, startService } from "./world.ts";

/** Time that the proxy is given for an answer, on a machine that does much else. */
const ANSWER_MS = 60_000;
/** After a new proxy is ready, flows of the one before may still be about to find out. */
const AFTERMATH_MS = 1_000;

/** See the module. */
export class Scene {
  readonly lab: Lab;
  proxy: Proxy;
  /** The round of the config in force. */
  round = 0;
  /** Disturbances so far. */
  readonly windows: Window[] = [];
  /** Packets that went past the proxy while there was none. */
  excusedPast = 0;
  /** Logs of the proxies that have ended. */
  readonly logs: string[] = [];

  constructor(lab: Lab, proxy: Proxy) {
    this.lab = lab;
    this.proxy = proxy;
  }

  /** Everything that any proxy has logged. */
  get log(): string {
    return [...this.logs, this.proxy.log].join("");
  }

  /** Does something, and waits for the proxy's answer to it; gives the milliseconds that it took. */
  async expectLog(pattern: RegExp, what: () => unknown): Promise<number> {
    const before = this.proxy.program.stderr.length;
    const begin = performance.now();
    await what();
    await until(() => pattern.test(this.proxy.program.stderr.slice(before)), {
      what: `${pattern} in the log`,
      timeoutMs: ANSWER_MS,
    });
    return performance.now() - begin;
  }

  /** Does something to it, and notes when. `excuses`: what it costs flows is not counted. */
  async during(name: string, excuses: boolean, work: () => Promise<void>): Promise<void> {
    const begin = Date.now();
    try {
      await work();
    } finally {
      this.windows.push({ name, begin, end: Date.now(), excuses });
    }
  }

  /** Ends the proxy by whatever way, and starts another. */
  async replaceProxy(end: () => Promise<void>): Promise<void> {
    const past = await countPast(this.lab);
    await end();
    this.logs.push(this.proxy.log);
    this.proxy = await startService(this.lab, this.round);
    await new Promise((resolve) => setTimeout(resolve, AFTERMATH_MS));
    this.excusedPast += await countPast(this.lab) - past;
  }
}
