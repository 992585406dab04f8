/**
 * TCP connections over 127.0.0.1, without privileges: what the data plane's tests talk through.
 * @module
 */
import assert from "node:assert/strict";
import {
  AF_INET,
  EAGAIN,
  EINPROGRESS,
  SHUT_WR,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../../../../ffi/consts.ts";
import { makeSockaddr, writeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import {
  acceptSocket,
  bindSocket,
  closeFd,
  connectSocket,
  listenSocket,
  localAddress,
  openSocket,
  receive,
  send,
  shutdownSocket,
} from "../../../../ffi/sockets/socket.ts";
import { resetOnClose, setInt } from "../../../../ffi/sockets/sockopt.ts";
import { check } from "../../../../src/net/error.ts";
import { parseIp } from "../../../../src/net/ip.ts";

/** An IPv4 address in C's layout. */
export function address(ip: string, port: number): Uint8Array<ArrayBuffer> {
  const buffer = makeSockaddr();
  writeSockaddr(buffer, { address: parseIp(ip)!, port });
  return buffer;
}

/** The address that a socket is bound to. */
export function addressOf(fd: number): Uint8Array<ArrayBuffer> {
  const buffer = makeSockaddr();
  check(localAddress(fd, buffer), "getsockname");
  return buffer;
}

/** Options of a listener. */
export interface ListenOptions {
  readonly ip?: string;
  readonly port?: number;
  readonly backlog?: number;
  readonly reusePort?: boolean;
  readonly receiveBuffer?: number;
}

/** A non-blocking listener. */
export function listen(options: ListenOptions = {}): number {
  const fd = check(openSocket(AF_INET, SOCK_STREAM), "socket");
  check(setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1), "SO_REUSEADDR");
  if (options.reusePort) check(setInt(fd, SOL_SOCKET, SO_REUSEPORT, 1), "SO_REUSEPORT");
  if (options.receiveBuffer) check(setInt(fd, SOL_SOCKET, SO_RCVBUF, options.receiveBuffer), "SO_RCVBUF");
  check(bindSocket(fd, address(options.ip ?? "127.0.0.1", options.port ?? 0)), "bind");
  check(listenSocket(fd, options.backlog ?? 128), "listen");
  return fd;
}

/** A non-blocking socket whose connect(2) has begun. */
export function dial(to: Uint8Array<ArrayBuffer>, options: { sendBuffer?: number } = {}): number {
  const fd = check(openSocket(AF_INET, SOCK_STREAM), "socket");
  if (options.sendBuffer) check(setInt(fd, SOL_SOCKET, SO_SNDBUF, options.sendBuffer), "SO_SNDBUF");
  const returned = connectSocket(fd, to);
  assert.ok(returned === 0 || returned === -EINPROGRESS, `connect: ${returned}`);
  return fd;
}

/** The next connection of a listener. */
export function accept(listener: number): number {
  const peer = makeSockaddr();
  return check(poll(() => acceptSocket(listener, peer)), "accept");
}

/**
 * A connection: the dialling and the accepted end. With small buffers, the dialling end soon takes no more.
 */
export function tcpPair(options: { smallBuffers?: boolean } = {}): [dialled: number, accepted: number] {
  const small = options.smallBuffers ? 4096 : undefined;
  const listener = listen(small ? { receiveBuffer: 65536 } : {});
  const dialled = dial(addressOf(listener), small ? { sendBuffer: small } : {});
  const accepted = accept(listener);
  closeFd(listener);
  return [dialled, accepted];
}

/** A port of 127.0.0.1 where nobody listens. */
export function closedPort(): Uint8Array<ArrayBuffer> {
  const listener = listen();
  const free = addressOf(listener);
  closeFd(listener);
  return free;
}

/**
 * Tries again while the answer is -EAGAIN, for at most a second: loopback delivers in softirq, as a rule at
 * once.
 */
export function poll(attempt: () => number): number {
  const end = performance.now() + 1000;
  for (;;) {
    const returned = attempt();
    if (returned !== -EAGAIN || performance.now() > end) return returned;
  }
}

/** Bytes of text. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** `length` bytes that tell their place: the offset modulo 251. */
export function pattern(length: number, offset = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (offset + i) % 251);
}

/** Sends all of it, or fails. */
export function sendAll(fd: number, data: Uint8Array<ArrayBuffer> | string): void {
  const all = typeof data === "string" ? bytes(data) : data;
  assert.equal(send(fd, all, all.length), all.length);
}

/** Sends until the socket takes no more; how many bytes it took. */
export function fill(fd: number): number {
  const block = pattern(251 * 16);
  let total = 0;
  for (;;) {
    const sent = send(fd, block.subarray(total % 251), block.length - total % 251);
    if (sent < 0) {
      assert.equal(sent, -EAGAIN);
      return total;
    }
    total += sent;
  }
}

const buffer = new Uint8Array(1 << 16);

/** All that is there to read now; and how it ends: "open", "end", or -errno. */
export function drain(fd: number): { data: Uint8Array<ArrayBuffer>; end: "open" | "end" | number } {
  let data = new Uint8Array();
  for (;;) {
    const got = receive(fd, buffer, buffer.length);
    if (got > 0) {
      const all = new Uint8Array(data.length + got);
      all.set(data);
      all.set(buffer.subarray(0, got), data.length);
      data = all;
      continue;
    }
    return { data, end: got === 0 ? "end" : got === -EAGAIN ? "open" : got };
  }
}

/** A peer's view over time: all that it has read, and its first end. */
export class Reader {
  data: Uint8Array<ArrayBuffer> = new Uint8Array();
  end: "open" | "end" | number = "open";
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Reads what is there; how it has ended, if it has. */
  read(): "open" | "end" | number {
    if (this.end !== "open") return this.end;
    const { data, end } = drain(this.#fd);
    const all = new Uint8Array(this.data.length + data.length);
    all.set(this.data);
    all.set(data, this.data.length);
    this.data = all;
    return this.end = end;
  }

  /**
   * Reads until so many bytes are there, or it has ended, for at most 3 s. Loopback delivers at once, but not
   * always.
   */
  readUntil(length: number): this {
    const end = performance.now() + 3000;
    while (this.read() === "open" && this.data.length < length && performance.now() < end);
    return this;
  }

  /** All that was read, as text. */
  get text(): string {
    return new TextDecoder().decode(this.data);
  }
}

/** Reads a peer's words within 3 s, until so many bytes were read or it has ended. */
export function readText(fd: number, length = Infinity): { text: string; end: "open" | "end" | number } {
  const { text, end } = new Reader(fd).readUntil(length);
  return { text, end };
}

/** Compares bytes. The assertion library would take minutes to describe how long arrays differ. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  assert.equal(at, -1, `byte ${at} differs`);
  assert.equal(actual.length, expected.length);
}

/** Ends our sending: a FIN. */
export function finish(fd: number): void {
  check(shutdownSocket(fd, SHUT_WR), "shutdown");
}

/** Closes with a RST. */
export function reset(fd: number): void {
  check(resetOnClose(fd), "SO_LINGER");
  check(closeFd(fd), "close");
}
