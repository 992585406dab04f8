/**
 * The data plane in the router namespace, by itself: a test gives it orders and reads its books.
 * @module
 */
import type { Admission } from "../../../src/config/types.ts";
import type { Counter, RuleTotals } from "../../../src/dataplane/shared/books.ts";
import type { SessionKey } from "../../../src/dataplane/shared/session_key.ts";
import type { Lab } from "../lab.ts";
import { until } from "../machine/wait.ts";
import type { Program } from "../program.ts";
import { type ConfigText, PROXY_PORT, tproxy, writeConfig } from "./proxy.ts";

const PROJECT = new URL("../../../", import.meta.url).pathname;

/** Command to the program. */
export type DataplaneCommand =
  | { readonly do: "sessions" | "count" | "totals" | "drain" }
  | { readonly do: "adopt"; readonly path: string; readonly generation: number }
  | { readonly do: "close"; readonly sessions: readonly SessionKey[] }
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
  const whole = { ...config, intercept };
  await tproxy(lab, ["install", "-c", writeConfig(lab, whole)]);
  return await runDataplane(lab, whole, "early");
}

/** Starts the data plane with two workers; the rules are the caller's. */
export async function runDataplane(
  lab: Lab,
  config: ConfigText,
  admission: Admission,
): Promise<DataplaneProgram> {
  const script = `${PROJECT}tests/laboratory/programs/dataplane_program.ts`;
  const path = writeConfig(lab, config);
  const argv = [`${PROJECT}scripts/deno`, "run", "-A", "--no-check", script, path, admission];
  const program = await lab.router.start(argv, { listens: PROXY_PORT });
  await program.waitForOutput("listening");
  return new DataplaneProgram(program, lab, config);
}

/**
 * Starts the data plane with UDP that asks, and with rules written by hand: nothing but the data plane is
 * tried.
 */
export async function startAskedDataplane(lab: Lab, config: ConfigText = {}): Promise<DataplaneProgram> {
  const intercept = { protocols: ["udp"], ...config.intercept as ConfigText | undefined };
  const path = writeConfig(lab, { ...config, intercept });
  const script = `${PROJECT}tests/laboratory/programs/dataplane_program.ts`;
  const argv = [`${PROJECT}scripts/deno`, "run", "-A", "--no-check", script, path, "forward-path"];
  const program = await lab.router.start(argv, {});
  await program.waitForOutput("listening");
  const rules = ["1/3 iif r0", "1/3 iif r1", "3/3 iif lo"].map((match) =>
    `rule add pref 500 fwmark ${match} lookup 100`
  );
  for (const family of ["-4", "-6"]) {
    for (const line of [...rules, "route add local default dev lo table 100"]) {
      await lab.router.run(["ip", family, ...line.split(" ")]);
    }
  }
  await lab.router.run(["nft", "-f", `${PROJECT}tests/laboratory/proxy/asked_udp.nft`]);
  return new DataplaneProgram(program, lab, { ...config, intercept });
}
