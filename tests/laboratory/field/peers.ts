/**
 * The hosts' services, in the test process: each says who it is and whom it sees, then it echoes.
 * @module
 */
import {
  AF_INET,
  AF_INET6,
  IPV6_V6ONLY,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_IPV6,
  SOL_SOCKET,
  SOL_TCP,
  TCP_REPAIR,
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
} from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { EAGAIN } from "../../../src/net/errno.ts";
import { check } from "../../../src/net/error.ts";
import { formatIp } from "../../../src/net/ip.ts";
import type { SocketOption } from "./caller.ts";
import type { Namespace } from "../namespace.ts";
import { inNamespace, toSockaddr } from "../network/udp_calls.ts";
import { at, type UdpSocket } from "../network/udp_socket.ts";
import { type AddressName, FIELD, nameOf } from "./places.ts";

const BACKLOG = 1_024;
const buffer = new Uint8Array(65_536);
const peer = makeSockaddr();

/** Ports that every host serves by TCP and UDP. */
export const PORTS = [21, 22, 53, 80, 443, 8080] as const;

/** Differences of a service from a usual one. */
export interface ServeOptions {
  /** Socket options of the TCP listeners, set before they are bound. */
  readonly options?: readonly SocketOption[];
  /** UDP as well; default yes. */
  readonly udp?: boolean;
}

/** A host's services; `close` ends them. */
export class Peer {
  readonly #name: string;

  /** Descriptors of the TCP listeners. */
  readonly listeners: readonly number[];
  readonly #udp: UdpSocket[];
  readonly #connections = new Set<number>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(
    name: string,
    namespace: Namespace,
    { ports, options = [], udp = true }: ServeOptions & { ports: readonly number[] },
  ) {
    this.#name = name;
    this.listeners = inNamespace(
      namespace.name,
      () => ports.flatMap((port) => ["0.0.0.0", "::"].map((address) => listenAt(at(address, port), options))),
    );
    // One for each address: what answers has the address that was asked.
    this.#udp = (udp ? addressesOf(name) : []).flatMap((address) =>
      ports.map((port) => namespace.udp({ family: address.includes(":") ? 6 : 4, bind: at(address, port) }))
    );
    this.#timer = setInterval(() => this.#turn(), 2);
  }

  /** Accepted connections that are open. */
  get connections(): ReadonlySet<number> {
    return this.#connections;
  }

  /** Forgets its connections, as after a crash: it tells nobody, and answers with resets. */
  forget(): void {
    for (const fd of this.#connections) {
      check(setInt(fd, SOL_TCP, TCP_REPAIR, 1), "set TCP_REPAIR");
      closeFd(fd);
    }
    this.#connections.clear();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const fd of [...this.listeners, ...this.#connections]) closeFd(fd);
    this.#connections.clear();
  }

  #turn(): void {
    for (const listener of this.listeners) this.#accept(listener);
    for (const fd of this.#connections) this.#echo(fd);
    for (const socket of this.#udp) {
      if (!socket.isOpen) continue;
      for (let datagram; (datagram = socket.poll()) !== undefined;) {
        const [, host, port] = /^\[?([^\]]*)\]?:(\d+)$/.exec(datagram.from)!;
        socket.send(this.#greeting(host, Number(port)), datagram.from);
      }
    }
  }

  #accept(listener: number): void {
    for (let fd; (fd = acceptSocket(listener, peer)) >= 0;) {
      const { address, port } = readSockaddr(peer);
      this.#connections.add(fd);
      const text = new TextEncoder().encode(this.#greeting(formatIp(address), port));
      send(fd, text, text.length);
    }
  }

  #echo(fd: number): void {
    for (;;) {
      const length = receive(fd, buffer, buffer.length);
      if (length === -EAGAIN) return;
      if (length <= 0) {
        this.#connections.delete(fd);
        closeFd(fd);
        return;
      }
      send(fd, buffer, length);
    }
  }

  #greeting(address: string, port: number): string {
    return `${this.#name} sees ${nameOf(address)}, port ${port}\n`;
  }
}

function addressesOf(name: string): string[] {
  if (!(name in FIELD)) return ["0.0.0.0"];
  const names = name === "server" || name === "other" ? [name, "anycast"] as const : [name as AddressName];
  return names.flatMap((each) => [FIELD[each][4], FIELD[each][6]]);
}

function listenAt(address: string, options: readonly SocketOption[]): number {
  const ipv6 = address.startsWith("[");
  const fd = check(openSocket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM), "open a TCP socket");
  if (ipv6) check(setInt(fd, SOL_IPV6, IPV6_V6ONLY, 1), "set IPV6_V6ONLY");
  check(setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1), "set SO_REUSEADDR");
  for (const [level, name, value] of options) check(setInt(fd, level, name, value), "set an option");
  check(bindSocket(fd, toSockaddr(address)), "bind to", address);
  check(listenSocket(fd, BACKLOG), "listen");
  return fd;
}
