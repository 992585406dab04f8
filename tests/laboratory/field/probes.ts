/**
 * Tries of a host, and their outcome in words that are the same with and without a proxy: "server sees
 * client", "refused", "silence".
 * @module
 */
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { OperationError } from "../../../src/net/error.ts";
import { errnoNumber } from "../../../src/net/errno.ts";
import { at } from "../network/udp_socket.ts";
import { Caller, ending, type SocketOption } from "./caller.ts";
import { type AddressName, FIELD, type Place, type Places } from "./places.ts";

/** The time after which nothing is silence. */
const SILENCE_MS = 1_500;

/** One try, and what must come of it. */
export interface Probe {
  readonly name: string;
  readonly expected: string;
  run(places: Places): Promise<string>;
}

/** An address by its name, or itself. */
export type Target = AddressName | `${string}.${string}` | `${string}:${string}`;

/** Differences from a call of the client's by IPv4. */
export interface ProbeOptions {
  readonly family?: 4 | 6;
  readonly from?: Place;
  readonly options?: readonly SocketOption[];
  readonly bindPort?: number;
  readonly silenceMs?: number;
  /** The port that the server sees may be any. */
  readonly anyPort?: boolean;
}

/** A TCP connection: connect, read the greeting, echo. */
export function tcp(to: Target, port: number, expected: string, options: ProbeOptions = {}): Probe {
  const { family = 4, from = "client", silenceMs = SILENCE_MS } = options;
  return {
    name: `TCP, IPv${family}, ${from} to ${to}:${port}`,
    expected,
    async run(places) {
      using caller = new Caller(places[from], at(addressOf(to, family), port), {
        options: options.options ?? [],
        ...boundTo(from, family, options),
      });
      return withoutPort(await talk(caller, silenceMs), options);
    },
  };
}

/** Connects, reads the greeting, has something echoed, and says what became of it. */
export async function talk(caller: Caller, silenceMs = SILENCE_MS): Promise<string> {
  const failure = await caller.connected(silenceMs);
  if (failure !== undefined) return failure;
  const greeting = await caller.read(/\n/, silenceMs);
  if (!greeting.endsWith("\n")) return `connected, then ${greeting}`;
  caller.send("ping");
  const echo = await caller.read(/ping/, silenceMs);
  return `${inWords(greeting, caller.port)}${echo === "ping" ? "" : `, then ${echo}`}`;
}

/** A datagram and its answer. */
export function udp(to: Target, port: number, expected: string, options: ProbeOptions = {}): Probe {
  const { family = 4, from = "client", silenceMs = SILENCE_MS } = options;
  return {
    name: `UDP, IPv${family}, ${from} to ${to}:${port}`,
    expected,
    async run(places) {
      const connect = at(addressOf(to, family), port);
      const socket = places[from].udp({ family, connect, ...boundTo(from, family, options) });
      for (const [level, name, value] of options.options ?? []) setInt(socket.fd, level, name, value);
      try {
        socket.send("ping");
        const answer = await socket.receiveWithin(silenceMs);
        return answer === undefined ? "silence" : withoutPort(inWords(answer.text, socket.port), options);
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        return ending(errnoNumber(error.code));
      } finally {
        socket.close();
      }
    },
  };
}

/** The outcome of several probes that must come: the same of all, or by their family or protocol. */
export type Expected =
  | string
  | Readonly<Record<4 | 6, string>>
  | Readonly<Record<"tcp" | "udp", string>>;

/** The same by TCP and UDP, with both families. */
export function every(to: Target, port: number, expected: Expected, options: ProbeOptions = {}): Probe[] {
  const words = (family: 4 | 6, protocol: "tcp" | "udp") =>
    typeof expected === "string" ? expected : 4 in expected ? expected[family] : expected[protocol];
  return ([4, 6] as const).flatMap((family) => [
    tcp(to, port, words(family, "tcp"), { ...options, family }),
    udp(to, port, words(family, "udp"), { ...options, family }),
  ]);
}

/** The same by TCP and UDP with IPv4. */
export function both(to: Target, port: number, expected: string, options: ProbeOptions = {}): Probe[] {
  return [tcp, udp].map((kind) => kind(to, port, expected, options));
}

function boundTo(from: Place, family: 4 | 6, { bindPort }: ProbeOptions): { bind?: string } {
  return bindPort === undefined ? {} : { bind: at(FIELD[from][family], bindPort) };
}

function withoutPort(words: string, { anyPort = false }: ProbeOptions): string {
  return anyPort ? words.replace(", another port", "") : words;
}

function addressOf(target: Target, family: 4 | 6): string {
  return target in FIELD ? FIELD[target as AddressName][family] : target;
}

/** "server sees wan", and whether the port is the caller's. */
function inWords(greeting: string, port: number): string {
  const [, who, seen] = /^(.*), port (\d+)\n$/.exec(greeting) ?? [undefined, greeting.trim(), "0"];
  return Number(seen) === port ? who : `${who}, another port`;
}
