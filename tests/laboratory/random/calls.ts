/**
 * One random flow: what it does, and how it ends for the one who began it, in words.
 * @module
 */
import { IP_TOS, IP_TTL, IPV6_TCLASS, SHUT_WR, SOL_IP, SOL_IPV6 } from "../../../ffi/consts.ts";
import { receive, send, shutdownSocket } from "../../../ffi/sockets/socket.ts";
import { resetOnClose, setInt } from "../../../ffi/sockets/sockopt.ts";
import { EAGAIN } from "../../../src/net/errno.ts";
import { OperationError } from "../../../src/net/error.ts";
import { errnoNumber } from "../../../src/net/errno.ts";
import { Caller, ending, type SocketOption } from "../field/caller.ts";
import type { Namespace } from "../namespace.ts";
import { delay } from "../machine/wait.ts";
import { at } from "../network/udp_socket.ts";
import { sumOf } from "./services.ts";

/** linux/in6.h. */
const IPV6_UNICAST_HOPS = 16;
/** A client gives up so long after its last packet. */
const SILENCE_MS = 1_600;
const buffer = new Uint8Array(65_536);

/** A flow, or several from one port (UDP). */
export interface Flow {
  readonly protocol: "tcp" | "udp";
  readonly family: 4 | 6;
  /** A host, or "router". */
  readonly from: string;
  /** Addresses; TCP takes the first. */
  readonly to: readonly string[];
  readonly port: number;
  /** The client's own port. */
  readonly own: number;
  /** TCP: "echo", "half-close", "reset"; UDP: how many datagrams, one after another. */
  readonly act: string;
  readonly bytes: number;
  readonly tos?: number;
  readonly ttl?: number;
}

/** The end of a flow, and its time. */
export interface Ended {
  readonly words: string;
  readonly ms: number;
}

/** Says what a flow is. */
export function nameFlow({ protocol, family, from, to, port, own, act, bytes, tos, ttl }: Flow): string {
  const options = [tos === undefined ? "" : ` tos ${tos}`, ttl === undefined ? "" : ` ttl ${ttl}`].join("");
  return `${protocol}${family} ${from}:${own} → ${
    to.join(" and ")
  } port ${port}, ${act}, ${bytes} bytes${options}`;
}

/** Runs a flow to its end. */
export async function callFlow(namespace: Namespace, flow: Flow): Promise<Ended> {
  const start = performance.now();
  const words = await (flow.protocol === "tcp" ? callTcp(namespace, flow) : callUdp(namespace, flow));
  return { words, ms: performance.now() - start };
}

/** Bytes that are told apart by where they stand. */
function bytesOf({ own, bytes }: Flow): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes).map((_, index) => (own * 31 + index * 7 + (index >> 8)) & 0xff);
}

function optionsOf({ family, tos, ttl }: Flow): SocketOption[] {
  const [level, tosName, ttlName] = family === 4
    ? [SOL_IP, IP_TOS, IP_TTL]
    : [SOL_IPV6, IPV6_TCLASS, IPV6_UNICAST_HOPS];
  return [
    ...tos === undefined ? [] : [[level, tosName, tos] as const],
    ...ttl === undefined ? [] : [[level, ttlName, ttl] as const],
  ];
}

async function callTcp(namespace: Namespace, flow: Flow): Promise<string> {
  const any = flow.family === 4 ? "0.0.0.0" : "::";
  using caller = new Caller(namespace, at(flow.to[0], flow.port), {
    bind: at(any, flow.own),
    options: optionsOf(flow),
  });
  const failure = await caller.connected(SILENCE_MS);
  if (failure !== undefined) {
    resetOnClose(caller.fd);
    return failure;
  }
  const talk = new Talk(caller.fd);
  const sending = bytesOf(flow);
  if (flow.act === "reset") {
    const greeting = await talk.readLine();
    talk.queue(sending);
    await talk.flush();
    resetOnClose(caller.fd);
    return `${greeting}, then we reset`;
  }
  if (flow.act === "half-close") {
    talk.queue(sending);
    await talk.flush();
    shutdownSocket(caller.fd, SHUT_WR);
    return await talk.readAll();
  }
  const greeting = await talk.readLine();
  talk.queue(sending);
  const echoed = await talk.readBytes(sending.length);
  shutdownSocket(caller.fd, SHUT_WR);
  return `${greeting}, ${echoed}, ${await talk.readAll()}`;
}

/** Reading and writing of one connection, with what came of it in words. */
class Talk {
  readonly #fd: number;
  #received = new Uint8Array();
  #pending = new Uint8Array();
  #ending: string | undefined;
  #last = performance.now();

  constructor(fd: number) {
    this.#fd = fd;
  }

  queue(bytes: Uint8Array<ArrayBuffer>): void {
    this.#pending = bytes;
  }

  /** Reads a line, or says how it ended before. */
  async readLine(): Promise<string> {
    await this.#until(() => this.#received.includes(10));
    const end = this.#received.indexOf(10);
    return new TextDecoder().decode(this.#take(end < 0 ? this.#received.length : end + 1)).trim() +
      this.#how(end < 0);
  }

  async readBytes(count: number): Promise<string> {
    await this.#until(() => this.#received.length >= count);
    const bytes = this.#take(count);
    return `${bytes.length} bytes, ${sumOf(bytes)}${this.#how(bytes.length < count)}`;
  }

  /** Reads to the end. */
  async readAll(): Promise<string> {
    await this.#until(() => false);
    const bytes = this.#take(this.#received.length);
    return `${new TextDecoder().decode(bytes).trim()}${this.#how(true)}`;
  }

  async flush(): Promise<void> {
    await this.#until(() => this.#pending.length === 0);
  }

  #take(count: number): Uint8Array {
    const bytes = this.#received.slice(0, count);
    this.#received = this.#received.slice(count);
    return bytes;
  }

  #how(short: boolean): string {
    return short ? ` ${this.#ending ?? "silence"}` : "";
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      const moved = this.#send() || this.#receive();
      if (this.#ending !== undefined) return;
      if (moved) this.#last = performance.now();
      else if (performance.now() - this.#last > SILENCE_MS) return;
      else await delay(2);
    }
  }

  #send(): boolean {
    if (this.#pending.length === 0) return false;
    const sent = send(this.#fd, this.#pending, this.#pending.length);
    if (sent > 0) this.#pending = this.#pending.slice(sent);
    return sent > 0;
  }

  #receive(): boolean {
    const length = receive(this.#fd, buffer, buffer.length);
    if (length === -EAGAIN) return false;
    if (length <= 0) {
      this.#ending ??= length === 0 ? "end" : ending(-length);
      return false;
    }
    const joined = new Uint8Array(this.#received.length + length);
    joined.set(this.#received);
    joined.set(buffer.subarray(0, length), this.#received.length);
    this.#received = joined;
    return true;
  }
}

/** Each datagram waits for its answer, which comes from where it went to. */
async function callUdp(namespace: Namespace, flow: Flow): Promise<string> {
  const { family, own, port, to } = flow;
  const any = family === 4 ? "0.0.0.0" : "::";
  const connect = to.length === 1 ? { connect: at(to[0], port) } : {};
  const socket = namespace.udp({ family, bind: at(any, own), ...connect });
  for (const [level, name, value] of optionsOf(flow)) setInt(socket.fd, level, name, value);
  const words: string[] = [];
  try {
    for (let round = 0; round < Number(flow.act); round++) {
      for (const address of to) {
        const data = bytesOf({ ...flow, own: own + round });
        const answer = await exchange(() => {
          socket.send(data, to.length === 1 ? undefined : at(address, port));
          return socket.receiveWithin(round === 0 ? SILENCE_MS : SILENCE_MS / 2);
        });
        words.push(answer);
      }
    }
  } finally {
    socket.close();
  }
  return words.join("; ");
}

async function exchange(work: () => Promise<{ text: string; from: string } | undefined>): Promise<string> {
  try {
    const answer = await work();
    return answer === undefined ? "silence" : `${answer.text} from ${answer.from}`;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return ending(errnoNumber(error.code));
  }
}
