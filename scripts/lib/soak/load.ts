/**
 * The load generator (load/): a process at each end, its counts, and the flows that failed.
 * @module
 */
import { ADDRESSES, type Lab } from "../../../tests/laboratory/lab.ts";
import type { Namespace } from "../../../tests/laboratory/namespace.ts";
import type { Program } from "../../../tests/laboratory/program.ts";
import { compileGenerator, generator } from "../bench/compile.ts";
import type { Failure } from "./windows.ts";

/** Counts of one end since its start. */
export interface Counts {
  readonly flows: number;
  readonly bytes: number;
  /** Of UDP: questions that were answered; of those that were asked again, lost ones and late answers. */
  readonly exchanges: number;
  readonly lost: number;
  readonly late: number;
  readonly failed: number;
  readonly wrong: number;
  /** Connections, or threads of a client. */
  readonly live: number;
}

const NONE: Counts = { flows: 0, bytes: 0, exchanges: 0, lost: 0, late: 0, failed: 0, wrong: 0, live: 0 };
/** Flows that have begun end within this: their patience, and a slow machine's. */
const LAST_FLOWS_MS = 90_000;

/** One end. */
export class Load {
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
  }

  /** Its last line of counts. */
  get counts(): Counts {
    const { stdout } = this.#program;
    const whole = stdout.slice(0, stdout.lastIndexOf("\n"));
    const begin = whole.lastIndexOf("S {");
    return begin < 0 ? NONE : JSON.parse(whole.slice(begin + 2).split("\n")[0]);
  }

  /** Flows that have failed so far. */
  get failures(): Failure[] {
    return this.#told("FW");
  }

  /** Flows of UDP that went on by another port of the client's, as the server sees it. */
  get moves(): Failure[] {
    return this.#told("M");
  }

  #told(letters: string): Failure[] {
    return this.#program.stdout.split("\n").slice(0, -1).flatMap((line) => {
      const [, letter, begin, end, what, port, peer, id, why] =
        /^([FWM]) (\d+) (\d+) (\S+) (\d+):(\d+) ([\da-f]+) (.*)$/.exec(line) ?? [];
      if (letter === undefined || !letters.includes(letter)) return [];
      return [{
        wrong: letter === "W",
        begin: Number(begin),
        end: Number(end),
        what: `${what} ${port}`,
        peer,
        id: id === "0" ? undefined : id,
        why,
      }];
    });
  }

  /** Throws if it has ended by itself. */
  assertRunning(): void {
    if (!this.#program.running) throw new Error(`The load has ended:\n${this.#program.output.slice(-2000)}`);
  }

  /** Lets the flows that have begun end, and no other begin. */
  async end(): Promise<void> {
    await this.#program.closeInput();
    const code = await this.#program.waitForExit({ timeoutMs: LAST_FLOWS_MS });
    if (code !== 0) throw new Error(`The load failed with ${code}:\n${this.#program.output.slice(-2000)}`);
  }
}

/** Compiles the generator. */
export function prepareLoad(): Promise<void> {
  return compileGenerator("soak_load", new URL("./load", import.meta.url));
}

async function start(namespace: Namespace, words: readonly string[]): Promise<Load> {
  const addresses = [`v4=${ADDRESSES[4].server}`, `v6=${ADDRESSES[6].server}`];
  const [role, ...rest] = words;
  return new Load(await namespace.start([generator("soak_load"), role, ...addresses, ...rest]));
}

/** Starts the server's end. */
export function startServer(lab: Lab): Promise<Load> {
  return start(lab.server, ["server"]);
}

/** Starts the client's end; a calm one leaves no session behind that lasts. */
export function startClients(lab: Lab, { calm }: { calm: boolean }): Promise<Load> {
  return start(lab.client, ["client", "threads=20", "udp-threads=6", ...calm ? ["calm=1"] : []]);
}
