/**
 * Services of the random router's hosts, in the test process: what each has seen, in words.
 * @module
 */
import {
  AF_INET,
  AF_INET6,
  IPV6_V6ONLY,
  SHUT_WR,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_IPV6,
  SOL_SOCKET,
} from "../../../ffi/consts.ts";
import { makeSockaddr, readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import {
  acceptSocket,
  bindSocket,
  closeFd,
  listenSocket,
  openSocket,
  receive,
  send,
  shutdownSocket,
} from "../../../ffi/sockets/socket.ts";
import { resetOnClose, setInt } from "../../../ffi/sockets/sockopt.ts";
import { EAGAIN } from "../../../src/net/errno.ts";
import { check } from "../../../src/net/error.ts";
import { formatIp } from "../../../src/net/ip.ts";
import { ending } from "../field/caller.ts";
import { nameOf } from "../field/places.ts";
import type { Namespace } from "../namespace.ts";
import { inNamespace, toSockaddr } from "../network/udp_calls.ts";
import { at, type UdpSocket } from "../network/udp_socket.ts";

/** Ports and what becomes of a connection there. UDP is answered at each. */
export const SERVED = {
  21: "echo",
  22: "reset",
  53: "echo",
  80: "echo",
  443: "digest",
  8080: "echo",
} as const;

const PORTS = Object.keys(SERVED).map(Number);
const buffer = new Uint8Array(65_536);
const peer = makeSockaddr();

interface Connection {
  readonly fd: number;
  readonly kind: string;
  readonly who: string;
  bytes: number;
  sum: number;
  /** Bytes that are still to be sent. */
  pending: Uint8Array<ArrayBuffer>;
  ended: boolean;
}

/** A sum of bytes in their order (FNV-1a). */
export function sumOf(bytes: Uint8Array, start = 0x811c9dc5): number {
  let sum = start;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
  return sum;
}

/** A host's services; `close` ends them. */
export class Services {
  readonly #name: string;
  /** The end of each connection, and each datagram. */
  readonly seen: string[] = [];
  readonly #listeners: readonly number[];
  readonly #ports = new Map<number, number>();
  readonly #udp: readonly (readonly [UdpSocket, string])[];
  readonly #connections = new Set<Connection>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(name: string, namespace: Namespace, addresses: readonly string[]) {
    this.#name = name;
    const listen = (port: number) =>
      ["0.0.0.0", "::"].map((address) => {
        const fd = listenAt(at(address, port));
        this.#ports.set(fd, port);
        return fd;
      });
    this.#listeners = inNamespace(namespace.name, () => PORTS.flatMap(listen));
    // One for each address: what answers has the address that was asked.
    this.#udp = addresses.flatMap((address) =>
      PORTS.map((port) =>
        [
          namespace.udp({ family: address.includes(":") ? 6 : 4, bind: at(address, port) }),
          `udp ${port}`,
        ] as const
      )
    );
    this.#timer = setInterval(() => this.#turn(), 2);
  }

  /** Says of connections that are open still what they have seen. */
  close(): void {
    clearInterval(this.#timer);
    for (const connection of [...this.#connections]) this.#end(connection, "open");
    for (const fd of this.#listeners) closeFd(fd);
  }

  #turn(): void {
    for (const listener of this.#listeners) this.#accept(listener);
    for (const connection of this.#connections) this.#serve(connection);
    for (const [socket, words] of this.#udp) {
      if (!socket.isOpen) continue;
      for (let datagram; (datagram = pollQuietly(socket)) !== undefined;) {
        const [, host, port] = /^\[?([^\]]*)\]?:(\d+)$/.exec(datagram.from)!;
        const who = `${nameOf(host)} port ${port}`;
        this.seen.push(
          `${this.#name} ${words}: ${who}, ${datagram.data.length} bytes, ${sumOf(datagram.data)}`,
        );
        try {
          socket.send(
            `${this.#name} sees ${who}: ${datagram.data.length} bytes, ${sumOf(datagram.data)}`,
            datagram.from,
          );
        } catch {
          // The host's own routes may refuse it, as without a proxy.
        }
      }
    }
  }

  #accept(listener: number): void {
    for (let fd; (fd = acceptSocket(listener, peer)) >= 0;) {
      const { address, port } = readSockaddr(peer);
      const own = this.#ports.get(listener)!;
      const kind = SERVED[own as keyof typeof SERVED];
      const who = `tcp ${own}: ${nameOf(formatIp(address))} port ${port}`;
      const pending = new TextEncoder().encode(`${this.#name} sees ${who}\n`);
      this.#connections.add({ fd, kind, who, bytes: 0, sum: sumOf(new Uint8Array()), pending, ended: false });
    }
  }

  #serve(connection: Connection): void {
    const { fd, kind } = connection;
    while (!connection.ended && connection.pending.length < 262_144) {
      const length = receive(fd, buffer, buffer.length);
      if (length === -EAGAIN) break;
      if (length < 0) return this.#end(connection, ending(-length));
      if (length === 0) {
        connection.ended = true;
        if (kind === "digest") this.#add(connection, `${connection.bytes} bytes, ${connection.sum}\n`);
        break;
      }
      const bytes = buffer.slice(0, length);
      connection.bytes += length;
      connection.sum = sumOf(bytes, connection.sum);
      if (kind === "reset") {
        resetOnClose(fd);
        closeFd(fd);
        this.#connections.delete(connection);
        this.seen.push(`${this.#name} ${connection.who}: reset by us`);
        return;
      }
      if (kind === "echo") this.#add(connection, bytes);
    }
    const sent = connection.pending.length === 0
      ? 0
      : send(fd, connection.pending, connection.pending.length);
    if (sent < 0 && sent !== -EAGAIN) return this.#end(connection, ending(-sent));
    if (sent > 0) connection.pending = connection.pending.slice(sent);
    if (connection.ended && connection.pending.length === 0) this.#end(connection, "end");
  }

  #add(connection: Connection, data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const joined = new Uint8Array(connection.pending.length + bytes.length);
    joined.set(connection.pending);
    joined.set(bytes, connection.pending.length);
    connection.pending = joined;
  }

  #end(connection: Connection, how: string): void {
    const { fd, who, bytes, sum } = connection;
    this.#connections.delete(connection);
    if (how === "end") shutdownSocket(fd, SHUT_WR);
    closeFd(fd);
    // How much had come when it was reset is a matter of moments.
    this.seen.push(`${this.#name} ${who}: ${how === "end" ? `${bytes} bytes, ${sum}, ` : ""}${how}`);
  }
}

function pollQuietly(socket: UdpSocket): ReturnType<UdpSocket["poll"]> {
  try {
    return socket.poll();
  } catch {
    return undefined; // An ICMP error for an answer; the one who asked is told nothing either.
  }
}

function listenAt(address: string): number {
  const ipv6 = address.startsWith("[");
  const fd = check(openSocket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM), "open a TCP socket");
  if (ipv6) check(setInt(fd, SOL_IPV6, IPV6_V6ONLY, 1), "set IPV6_V6ONLY");
  check(setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1), "set SO_REUSEADDR");
  check(bindSocket(fd, toSockaddr(address)), "bind to", address);
  check(listenSocket(fd, 1_024), "listen");
  return fd;
}
