/**
 * A TCP connection of a host, in the test process: connect, talk, and what became of it in words.
 * @module
 */
import { AF_INET, AF_INET6, POLLOUT, SOCK_STREAM, SOL_TCP, TCP_REPAIR } from "../../../ffi/consts.ts";
import { makeSockaddr, readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import {
  bindSocket,
  closeFd,
  connectSocket,
  localAddress,
  openSocket,
  receive,
  send,
} from "../../../ffi/sockets/socket.ts";
import { setInt, takeSocketError } from "../../../ffi/sockets/sockopt.ts";
import { PollSet } from "../../../ffi/poll.ts";
import {
  EAGAIN,
  ECONNREFUSED,
  ECONNRESET,
  EHOSTUNREACH,
  EINPROGRESS,
  ENETUNREACH,
  errnoCode,
} from "../../../src/net/errno.ts";
import { check } from "../../../src/net/error.ts";
import type { Namespace } from "../namespace.ts";
import { delay } from "../machine/wait.ts";
import { inNamespace, toSockaddr } from "../network/udp_calls.ts";

/** A socket option: level, name, value. */
export type SocketOption = readonly [level: number, name: number, value: number];

/** Options of a connection. */
export interface CallOptions {
  /** Address and port of its own. */
  readonly bind?: string;
  readonly options?: readonly SocketOption[];
  /** Sets what else is to be set before it connects. */
  readonly prepare?: (fd: number) => void;
}

const ENDINGS: Readonly<Record<number, string>> = {
  [ECONNREFUSED]: "refused",
  [ECONNRESET]: "reset",
  [EHOSTUNREACH]: "host unreachable",
  [ENETUNREACH]: "network unreachable",
};

/** Says in words how an errno ends a call. */
export function ending(errno: number): string {
  return ENDINGS[errno] ?? errnoCode(errno);
}

/** A connection that is being made, or stands. `close` it. */
export class Caller {
  readonly fd: number;
  readonly #buffer = new Uint8Array(65_536);
  readonly #poll = new PollSet(1);
  readonly #failure: number;
  #open = true;

  constructor(namespace: Namespace, to: string, { bind, options = [], prepare }: CallOptions = {}) {
    const address = toSockaddr(to);
    const domain = address[0] === AF_INET ? AF_INET : AF_INET6;
    this.fd = check(inNamespace(namespace.name, () => openSocket(domain, SOCK_STREAM)), "open a TCP socket");
    for (const [level, name, value] of options) check(setInt(this.fd, level, name, value), "set an option");
    if (bind !== undefined) check(bindSocket(this.fd, toSockaddr(bind)), "bind to", bind);
    prepare?.(this.fd);
    const result = connectSocket(this.fd, address);
    this.#failure = result === -EINPROGRESS ? 0 : -result;
    this.#poll.set(0, this.fd, POLLOUT);
  }

  /** Its own port. */
  get port(): number {
    const address = makeSockaddr();
    check(localAddress(this.fd, address), "ask for the local address");
    return readSockaddr(address).port;
  }

  /** Waits until it is connected; undefined: it is; else its end in words, "silence" for none in time. */
  async connected(waitMs: number): Promise<string | undefined> {
    const end = performance.now() + waitMs;
    if (this.#failure > 0) return ending(this.#failure);
    for (;;) {
      if (this.#poll.wait(0) > 0) {
        const errno = takeSocketError(this.fd);
        return errno === 0 ? undefined : ending(errno);
      }
      if (performance.now() > end) return "silence";
      await delay(2);
    }
  }

  /** Sends; bytes or -errno. */
  send(data: string | Uint8Array<ArrayBuffer>): number {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    return send(this.fd, bytes, bytes.length);
  }

  /** Reads until the text matches; else the text so far and how it ended. */
  async read(wanted: RegExp, waitMs: number): Promise<string> {
    const end = performance.now() + waitMs;
    let text = "";
    while (!wanted.test(text)) {
      const length = receive(this.fd, this.#buffer, this.#buffer.length);
      if (length > 0) text += new TextDecoder().decode(this.#buffer.subarray(0, length));
      else if (length === 0) return `${text}end`;
      else if (length !== -EAGAIN) return `${text}${ending(-length)}`;
      else if (performance.now() > end) return `${text}silence`;
      else await delay(2);
    }
    return text;
  }

  /** Forgets the connection, as after a crash: it tells nobody. */
  forget(): void {
    check(setInt(this.fd, SOL_TCP, TCP_REPAIR, 1), "set TCP_REPAIR");
    this.close();
  }

  /** Safe to call again. */
  close(): void {
    if (this.#open) closeFd(this.fd);
    this.#open = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
