/**
 * Load for tests of upgrades: crowd.c, built for a laboratory.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import { runProgram } from "../program.ts";
import type { Program } from "../program.ts";

const PORT = 7000;

/** Counts of clients of UDP. */
export interface UdpCounts {
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  /** Answers that had another port at the server than the ones before. */
  readonly moved: number;
  readonly doubled: number;
}

/** Counts of connections. */
export interface TcpCounts {
  readonly made: number;
  readonly failed: number;
  /** Those that took 900 ms or more. */
  readonly slow: number;
  readonly longest: number;
}

/** The load. */
export class Crowd {
  readonly #lab: Lab;
  readonly #program: string;

  private constructor(lab: Lab, program: string) {
    this.#lab = lab;
    this.#program = program;
  }

  /** Builds it, and starts its server. */
  static async open(lab: Lab): Promise<Crowd> {
    const program = `${lab.directory}/crowd`;
    const source = new URL("crowd.c", import.meta.url).pathname;
    await runProgram(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source]);
    await lab.server.start([program, "serve", ADDRESSES[4].server, `${PORT}`], { listens: PORT });
    return new Crowd(lab, program);
  }

  /** Clients, each with an exchange every so many milliseconds, when all have had three. */
  async udp(count: number, everyMs: number): Promise<{ end(): Promise<UdpCounts> }> {
    const program = await this.#start("udp", count, everyMs);
    await program.waitForOutput("ready", { timeoutMs: 30_000 });
    return { end: async () => await readCounts(program) as UdpCounts };
  }

  /** New connections, one every so many milliseconds. */
  async tcp(everyMs: number): Promise<{ end(): Promise<TcpCounts> }> {
    const program = await this.#start("tcp", everyMs);
    return { end: async () => await readCounts(program) as TcpCounts };
  }

  #start(kind: "udp" | "tcp", ...numbers: readonly number[]): Promise<Program> {
    return this.#lab.client.start([
      this.#program,
      kind,
      ADDRESSES[4].server,
      `${PORT}`,
      ...numbers.map(String),
    ]);
  }
}

async function readCounts(program: Program): Promise<unknown> {
  await program.closeInput();
  await program.waitForExit({ timeoutMs: 20_000 });
  return JSON.parse(program.stdout.trim().split("\n").at(-1)!);
}
