/**
 * UDP sockets of the test process in a namespace of the laboratory: what the peers send and see, call by
 * call.
 * @module
 */
import { AF_INET, AF_INET6, SO_RCVBUFFORCE, SOCK_DGRAM, SOCK_RAW, SOL_SOCKET } from "../../../ffi/consts.ts";
import { makeSockaddr, readSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { bindSocket, closeFd, connectSocket, localAddress, openSocket } from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { EAGAIN } from "../../../src/net/errno.ts";
import { check } from "../../../src/net/error.ts";
import { formatEndpoint } from "../../../src/net/ip.ts";
import { inNamespace, receiveFrom, sendTo, toSockaddr } from "./udp_calls.ts";
import { delay } from "../machine/wait.ts";

const IPPROTO_RAW = 255;
/** linux/in.h: IP_TOS at SOL_IP; linux/in6.h: IPV6_TCLASS at SOL_IPV6. */
const TOS = { 4: { level: 0, name: 1 }, 6: { level: 41, name: 67 } } as const;
/** linux/udp.h. */
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
/** Room for bursts: tests are about the proxy's losses, not about our own. */
const RECEIVE_BUFFER = 8 << 20;

/** A datagram that arrived, and its sender. */
export interface Datagram {
  readonly data: Uint8Array;
  /** The data as text. */
  readonly text: string;
  /** `address:port`. */
  readonly from: string;
}

/** Options of a socket. Addresses are `address:port`. */
export interface UdpSocketOptions {
  readonly family: 4 | 6;
  readonly bind?: string;
  readonly connect?: string;
  /** The kernel cuts what is sent into datagrams of so many bytes. */
  readonly segment?: number;
  /** Lets the socket send whole IP packets of any source. */
  readonly raw?: boolean;
}

/** A socket; `Namespace.udp` makes it and closes it in time. */
export class UdpSocket {
  readonly fd: number;
  readonly #family: 4 | 6;
  #open = true;

  constructor(namespace: string, options: UdpSocketOptions) {
    const { family, bind, connect, segment } = options;
    this.#family = family;
    const domain = family === 4 ? AF_INET : AF_INET6;
    const type = options.raw === true ? SOCK_RAW : SOCK_DGRAM;
    const protocol = options.raw === true ? IPPROTO_RAW : 0;
    this.fd = check(
      inNamespace(namespace, () => openSocket(domain, type, { protocol })),
      "open a UDP socket",
    );
    check(setInt(this.fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER), "set SO_RCVBUFFORCE");
    if (segment !== undefined) check(setInt(this.fd, SOL_UDP, UDP_SEGMENT, segment), "set UDP_SEGMENT");
    if (bind !== undefined) check(bindSocket(this.fd, toSockaddr(bind)), "bind to", bind);
    if (connect !== undefined) check(connectSocket(this.fd, toSockaddr(connect)), "connect to", connect);
  }

  /** Its own `address:port`. */
  get local(): string {
    const address = makeSockaddr();
    check(localAddress(this.fd, address), "ask for the local address");
    return formatEndpoint(readSockaddr(address));
  }

  /** Its own port. */
  get port(): number {
    return Number(/\d+$/.exec(this.local)![0]);
  }

  /** Sets the TOS byte (IPv6: traffic class) of what it sends from now on. */
  setTos(tos: number): void {
    check(setInt(this.fd, TOS[this.#family].level, TOS[this.#family].name, tos), "set the TOS byte");
  }

  /** Sends a datagram, to the connected peer or to `address:port`; throws OperationError. */
  send(data: string | Uint8Array, to?: string): void {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    check(sendTo(this.fd, bytes, to === undefined ? undefined : toSockaddr(to)), "send to", to ?? "the peer");
  }

  /**
   * Takes a datagram that is there now; `undefined`: none is. Throws OperationError, such as ECONNREFUSED.
   */
  poll(): Datagram | undefined {
    const received = receiveFrom(this.fd);
    if (typeof received === "number") {
      if (received !== -EAGAIN) check(received, "receive");
      return undefined;
    }
    return { ...received, text: new TextDecoder().decode(received.data) };
  }

  /** Waits so many milliseconds for a datagram; `undefined`: none came. */
  async receiveWithin(ms: number): Promise<Datagram | undefined> {
    const end = performance.now() + ms;
    for (;;) {
      const datagram = this.poll();
      if (datagram !== undefined || performance.now() > end) return datagram;
      await delay(1);
    }
  }

  /** Waits for the next datagram, five seconds at most. */
  async receive(): Promise<Datagram> {
    const datagram = await this.receiveWithin(5_000);
    if (datagram === undefined) throw new Error(`Nothing arrived at ${this.local}`);
    return datagram;
  }

  /** Everything that arrives, until nothing does for so many milliseconds. */
  async receiveAll(quietMs: number): Promise<Datagram[]> {
    const all: Datagram[] = [];
    for (;;) {
      const datagram = await this.receiveWithin(quietMs);
      if (datagram === undefined) return all;
      all.push(datagram);
    }
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Safe to call again. */
  close(): void {
    if (this.#open) closeFd(this.fd);
    this.#open = false;
  }
}

/** `address:port` of an address as the laboratory writes it. */
export function at(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
