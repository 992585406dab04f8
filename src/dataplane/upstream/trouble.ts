/**
 * Tells the administrator of an upstream that does not do its work. A secret is never told.
 * @module
 */
import type { WorkerContext } from "../context.ts";
import { Throttle } from "../loop/throttle.ts";
import { errnoCode } from "../../net/errno.ts";
import { CONFIGURATION, POLICY } from "./greetings/greeting.ts";

const TROUBLES: Readonly<Record<number, string>> = {
  [CONFIGURATION]: "an upstream refuses us as configured",
  [POLICY]: "an upstream does not allow a flow; HTTP proxies often allow port 443 alone",
};

/** The troubles of one upstream. */
export class UpstreamTrouble {
  readonly #context: WorkerContext;
  readonly #name: string;
  readonly #lines: Throttle;

  constructor(context: WorkerContext, name: string) {
    this.#context = context;
    this.#name = name;
    this.#lines = new Throttle(context.clock);
  }

  /** Takes note of one. `blame`: see greetings/greeting.ts; `words`: of the upstream, "" for none. */
  note(errno: number, blame: number, words: string): void {
    if (!this.#lines.allows()) return;
    const what = TROUBLES[blame] ?? "an upstream has failed";
    const reason = words === "" ? { error: errnoCode(errno) } : { said: words };
    this.#context.log.warn(what, { upstream: this.#name, ...reason });
  }
}
