/**
 * One network namespace of the laboratory: runs programs in it and changes its kernel state with `ip`, `nft`
 * and /proc/sys.
 * @module
 */
import { isUdpBound, listens } from "./machine/procfs.ts";
import { type Outcome, Program, type RunOptions, runProgram } from "./program.ts";
import { UdpSocket, type UdpSocketOptions } from "./network/udp_socket.ts";
import { until } from "./machine/wait.ts";

/** Options of a background program. */
export interface StartOptions {
  /** Wait until a TCP socket of the namespace listens on this port. */
  readonly listens?: number;
  /** Wait until a UDP socket of the namespace is bound to this port. */
  readonly udpPort?: number;
  readonly env?: Record<string, string>;
}

/** A named network namespace. */
export class Namespace {
  readonly name: string;
  /** Programs started here, in order. */
  readonly programs: Program[] = [];
  readonly #sockets: UdpSocket[] = [];
  readonly #echo: (line: string) => void;

  constructor(name: string, options: { echo: (line: string) => void }) {
    this.name = name;
    this.#echo = options.echo;
  }

  /** Runs a program to its end; throws when it fails, unless `mayFail`. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    this.#echo(`${this.name}# ${argv.join(" ")}`);
    const outcome = await runProgram(["ip", "netns", "exec", this.name, ...argv], options);
    if (outcome.code !== 0) this.#echo(`  exit ${outcome.code} ${outcome.stderr.trim()}`);
    return outcome;
  }

  /** Starts a program in the background; it is ended with the laboratory at the latest. */
  async start(argv: readonly string[], options: StartOptions = {}): Promise<Program> {
    this.#echo(`${this.name}# ${argv.join(" ")} &`);
    const program = new Program(
      ["ip", "netns", "exec", this.name, ...argv],
      options.env === undefined ? {} : { env: options.env },
    );
    this.programs.push(program);
    const { listens: port, udpPort } = options;
    if (port !== undefined) {
      await this.#waitFor(program, `TCP port ${port}`, () => listens(program.pid, port));
    }
    if (udpPort !== undefined) {
      await this.#waitFor(program, `UDP port ${udpPort}`, () => isUdpBound(program.pid, udpPort));
    }
    return program;
  }

  /** Opens a UDP socket here; it is closed with the laboratory at the latest. */
  udp(options: UdpSocketOptions): UdpSocket {
    const socket = new UdpSocket(this.name, options);
    this.#sockets.push(socket);
    return socket;
  }

  /** Closes every socket that was opened here; a namespace lives as long as a socket in it. */
  closeSockets(): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets.length = 0;
  }

  /** Feeds commands, one a line, to `ip -batch` (`-6` for IPv6 with `family`). */
  async ip(commands: string, options: { family?: 4 | 6 } = {}): Promise<void> {
    const family = options.family === undefined ? [] : [`-${options.family}`];
    this.#echo(commands.trim().split("\n").map((line) => `${this.name}# ip ${line.trim()}`).join("\n"));
    await runProgram(["ip", ...family, "-n", this.name, "-batch", "-"], { input: commands });
  }

  /** Feeds a text to `nft -f`. */
  async nft(text: string): Promise<void> {
    this.#echo(`${this.name}# nft -f - <<END\n${text.trim()}\nEND`);
    await runProgram(["ip", "netns", "exec", this.name, "nft", "-f", "-"], { input: text });
  }

  /** Writes sysctls: `{ "net.ipv4.ip_forward": 1 }`. */
  async writeSysctl(values: Record<string, string | number>): Promise<void> {
    const settings = Object.entries(values).map(([name, value]) => `${name}=${value}`);
    await this.run(["sysctl", "-q", "-w", ...settings]);
  }

  /** Reads one sysctl. */
  async readSysctl(name: string): Promise<string> {
    return (await this.run(["sysctl", "-n", name])).stdout.trim();
  }

  async #waitFor(program: Program, what: string, ready: () => boolean): Promise<void> {
    await until(() => ready() || !program.running, { what: `${what} of ${program}`, timeoutMs: 30_000 });
    if (!program.running) throw new Error(`${program} ended at its start:\n${program.output}`);
  }
}
