/**
 * Load for tests of upgrades: crowd.c, built for a laboratory.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import { runProgram } from "../program.ts";
import type { Program } from "../program.ts";

/** The port of its server. */
export const CROWD_PORT = 7000;

/** Counts of clients of UDP. */
export interface UdpCounts {
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  /** Answers that had another port at the server than the ones before. */
  readonly moved: number;
  readonly doubled: number;
  /** Those of which a PROXY header has told the server the client's own port. */
  readonly told: number;
}

/** Counts of connections, or of single exchanges over UDP. */
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
  readonly #port: number;

  private constructor(lab: Lab, program: string, port: number) {
    this.#lab = lab;
    this.#program = program;
    this.#port = port;
  }

  /** Builds it, and starts its server. `port`: the one that clients ask for. */
  static async open(lab: Lab, port = CROWD_PORT): Promise<Crowd> {
    const program = `${lab.directory}/crowd`;
    const source = new URL("crowd.c", import.meta.url).pathname;
    await runProgram(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source]);
    await lab.server.start([program, "serve", ADDRESSES[4].server, `${CROWD_PORT}`], { listens: CROWD_PORT });
    return new Crowd(lab, program, port);
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

  /** New sockets of UDP, one every so many milliseconds, with a datagram each. */
  async fresh(everyMs: number): Promise<{ end(): Promise<TcpCounts> }> {
    const program = await this.#start("fresh", everyMs);
    return { end: async () => await readCounts(program) as TcpCounts };
  }

  #start(kind: "udp" | "tcp" | "fresh", ...numbers: readonly number[]): Promise<Program> {
    return this.#lab.client.start([
      this.#program,
      kind,
      ADDRESSES[4].server,
      `${this.#port}`,
      ...numbers.map(String),
    ]);
  }
}

async function readCounts(program: Program): Promise<unknown> {
  await program.closeInput();
  await program.waitForExit({ timeoutMs: 20_000 });
  return JSON.parse(program.stdout.trim().split("\n").at(-1)!);
}
