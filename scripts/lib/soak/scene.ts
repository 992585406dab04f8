/**
 * The scene that disturbances work on: the laboratory, the proxy of the moment, and what they have done.
 * @module
 */
import type { Lab } from "../../../tests/laboratory/lab.ts";
import { isAlive } from "../../../tests/laboratory/machine/procfs.ts";
import { delay, until } from "../../../tests/laboratory/machine/wait.ts";
import { Service } from "./service.ts";
import type { Window } from "./windows.ts";
import { countPast, startService } from "./world.ts";

/** Time that the proxy is given for an answer, on a machine that does much else. */
const ANSWER_MS = 60_000;
/** After a new proxy is ready, flows of the one before may still be about to find out. */
const AFTERMATH_MS = 1_000;
/** A proxy that has handed over ends within `timeouts.drain`, 30 s, on a machine that does much else. */
const DRAIN_MS = 60_000;

/** See the module. */
export class Scene {
  readonly lab: Lab;
  service: Service;
  /** The round of the config in force. */
  round = 0;
  /** Disturbances so far. */
  readonly windows: Window[] = [];
  /** Packets that went past the proxy while there was none. */
  excusedPast = 0;
  /** Proxies that have handed over, and have not ended as they should. */
  readonly badEnds: string[] = [];
  /** Logs of the services that have ended. */
  readonly #logs: string[] = [];
  /** The end of the process that has handed over last. */
  #former: Promise<void> = Promise.resolve();

  private constructor(lab: Lab, service: Service) {
    this.lab = lab;
    this.service = service;
  }

  /** Opens it, with a proxy. */
  static async open(lab: Lab): Promise<Scene> {
    return new Scene(lab, new Service(await startService(lab, 0)));
  }

  /** Everything that any proxy has logged. */
  get log(): string {
    return [...this.#logs, this.service.log].join("");
  }

  /** Does something, and waits for the proxy's answer to it; gives the milliseconds that it took. */
  async expectLog(pattern: RegExp, what: () => unknown): Promise<number> {
    const before = this.service.log.length;
    const begin = performance.now();
    await what();
    await until(() => pattern.test(this.service.log.slice(before)), {
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
    this.#logs.push(this.service.log);
    this.service = new Service(await startService(this.lab, this.round));
    await delay(AFTERMATH_MS);
    this.excusedPast += await countPast(this.lab) - past;
  }

  /** Another process has taken over; the one before lets its connections end, and then says that it stops. */
  succeededBy(pid: number): void {
    const { service } = this;
    const { pid: former } = service;
    const [begin, written] = [Date.now(), service.log.length];
    service.becomes(pid);
    const what = `of the former proxy, pid ${former}`;
    const hasStopped = () => / stopped /.test(service.log.slice(written));
    this.#former = until(() => !isAlive(former), { what: `the end ${what}`, timeoutMs: DRAIN_MS })
      .then(() => until(hasStopped, { what: `the last words ${what}` }))
      .catch((error: Error) => void this.badEnds.push(error.message))
      .finally(() =>
        this.windows.push({ name: "draining after an upgrade", begin, end: Date.now(), excuses: false })
      );
  }

  /** Waits until one process is left. */
  async alone(): Promise<void> {
    await this.#former;
  }
}
