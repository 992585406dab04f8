/**
 * The data plane in the router namespace, by itself: a test gives it orders and reads its books.
 * @module
 */
import type { Counter, RuleTotals } from "../../../src/dataplane/shared/books.ts";
import type { SessionKey } from "../../../src/dataplane/shared/session_key.ts";
import type { Lab } from "../lab.ts";
import { until } from "../machine/wait.ts";
import type { Program } from "../program.ts";
import { scriptCommand } from "../programs/script.ts";
import { type ConfigText, tproxy, writeConfig } from "./proxy.ts";

/** Command to the program. */
export type DataplaneCommand =
  | { readonly do: "sessions" | "count" | "totals" | "drain" }
  | { readonly do: "adopt"; readonly path: string; readonly generation: number }
  /** The kernel takes the rules of a config. */
  | { readonly do: "install"; readonly path: string }
  | { readonly do: "close"; readonly sessions: readonly SessionKey[] }
  /** The worker leaves connections alone, as for another process; and goes on, or parts with them. */
  | { readonly do: "park" | "unpark" | "part"; readonly worker: number }
  /** The worker fails. */
  | { readonly do: "wreck"; readonly worker: number };

/** A live session as the program tells it. Endpoints are `address:port`. */
export interface ToldSession extends SessionKey {
  readonly stage: number;
  readonly client: string;
  readonly destination: string | null;
  readonly ruleName: string | null;
  readonly generation: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly clientFd: number;
  readonly upstreamFd: number;
}

/** Counters of the program. */
export interface ToldCounts {
  readonly counters: Record<Counter, number>;
  readonly live: number;
  readonly udpLive: number;
}

/** The running program. */
export class DataplaneProgram {
  readonly program: Program;
  readonly #lab: Lab;
  readonly #config: ConfigText;
  #generation = 1;
  #asked = 0;

  constructor(program: Program, lab: Lab, config: ConfigText) {
    this.program = program;
    this.#lab = lab;
    this.#config = config;
  }

  /** Its live sessions. */
  sessions(): Promise<ToldSession[]> {
    return this.tell({ do: "sessions" });
  }

  /** Its counters. */
  count(): Promise<ToldCounts> {
    return this.tell({ do: "count" });
  }

  /** Totals of ended sessions. */
  totals(): Promise<RuleTotals[]> {
    return this.tell({ do: "totals" });
  }

  /** Has it take another config; the kernel keeps its rules. */
  async adopt(config: ConfigText): Promise<void> {
    const path = writeConfig(this.#lab, { ...this.#config, ...config });
    await this.tell({ do: "adopt", path, generation: ++this.#generation });
  }

  /** Has it, and the kernel, take another config. */
  async install(config: ConfigText): Promise<void> {
    await this.adopt(config);
    await this.tell({ do: "install", path: writeConfig(this.#lab, { ...this.#config, ...config }) });
  }

  /** Gives a command, and waits for the answer. */
  async tell<T>(command: DataplaneCommand): Promise<T> {
    const number = this.#asked++;
    await this.program.write(`${JSON.stringify(command)}\n`);
    const answers = () =>
      this.program.stdout.split("\n").slice(0, -1).filter((line) => /^ANSWER /.test(line));
    await until(() => answers().length > number, { what: `an answer to ${JSON.stringify(command)}` });
    return JSON.parse(answers()[number].slice("ANSWER ".length));
  }
}

/** Installs the rules of a config, and starts the data plane with two workers. */
export async function startDataplaneProgram(lab: Lab, config: ConfigText = {}): Promise<DataplaneProgram> {
  // A program that does not tell the rules of iptables that it runs is only asked where they need not know.
  const intercept = { "on-failure": "drop", ...config.intercept as ConfigText | undefined };
  const path = writeConfig(lab, { ...config, intercept });
  await tproxy(lab, ["install", "-c", path]);
  const program = await lab.router.start(scriptCommand("dataplane_program.ts", [path]));
  await program.waitForOutput("listening");
  return new DataplaneProgram(program, lab, { ...config, intercept });
}

/** A flow of UDP that has been silent for so long asks again. */
export const KNOWN_MS = 5500;

/** The same with UDP alone. */
export function startAskedDataplane(lab: Lab, config: ConfigText = {}): Promise<DataplaneProgram> {
  const intercept = { protocols: ["udp"], ...config.intercept as ConfigText | undefined };
  return startDataplaneProgram(lab, { ...config, intercept });
}
