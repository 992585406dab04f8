/**
 * A session's association with a SOCKS5 proxy (RFC 1928, 7): as long as a TCP connection to the proxy lives,
 * it relays the datagrams of one client endpoint.
 * @module
 */
import { makeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { WheelEntry } from "../../loop/wheel.ts";
import { Socks5Greeting, UDP_ASSOCIATE } from "../../upstream/greetings/socks5.ts";
import { readSocksHeader, writeSocksHeader } from "../../upstream/greetings/socks5_udp.ts";
import type { UpstreamProtocol } from "../../upstream/settings.ts";
import type { Sockaddr } from "../../upstream/upstream.ts";
import { type HeldBytes, HeldQueue } from "../flows/held.ts";
import type { Link, LinkEnds } from "./link.ts";
import type { UdpUpstream } from "./upstreams.ts";

// States.
/** State: without a connection. */
export const IDLE = 0;
export const DIALLING = 1;
export const GREETING = 2;
/** State: the proxy relays; what has waited has not gone on yet. */
export const READY = 3;
export const UP = 4;

/** The protocol of such a proxy. */
export type SocksProtocol = Extract<UpstreamProtocol, { type: "socks5" | "http-connect" }>;

/** An association, of the session in `slot`. */
export class Association extends WheelEntry implements Link {
  readonly relay = new Int32Array(8);
  state = IDLE;
  /** The connection, -1 for none. */
  fd = -1;
  /** The number of the address that is dialled. */
  choice = 0;
  /** The tick at which all dialling is over. */
  deadline = 0;
  /** Failures one after another, and the tick until which nothing is tried after them. */
  failures = 0;
  retryTick = -Infinity;
  readonly greeting: Socks5Greeting;
  readonly queue: HeldQueue;
  readonly slot: number;
  readonly tag: number;
  readonly upstream: UdpUpstream;
  readonly udpAddress: Sockaddr | null;

  constructor(
    session: { readonly slot: number; readonly tag: number },
    upstream: UdpUpstream,
    { credentials, udpAddress = null }: SocksProtocol,
    held: HeldBytes,
  ) {
    super();
    this.slot = session.slot;
    this.tag = session.tag;
    this.upstream = upstream;
    this.udpAddress = udpAddress;
    this.greeting = new Socks5Greeting({ credentials, sends: "address", command: UDP_ASSOCIATE });
    this.queue = new HeldQueue(held);
  }

  /** See {@linkcode Link}. */
  get isUp(): boolean {
    return this.state === UP;
  }

  /** See {@linkcode Link}. */
  get isBusy(): boolean {
    return this.state !== IDLE || this.failures === 0;
  }

  /** The address that is dialled, or has been. */
  get proxy(): Sockaddr {
    return this.upstream.settings.addresses[this.choice];
  }

  /** Begins the talk: it tells no address from which datagrams will come, since a NAT may change it. */
  greet(): void {
    const nowhere = makeSockaddr();
    nowhere[0] = this.proxy[0];
    this.greeting.begin({ client: nowhere, destination: nowhere, name: null });
  }

  /** See {@linkcode Link}. */
  writeHeader(bytes: Uint8Array, { destination }: LinkEnds): number {
    return writeSocksHeader(bytes, destination);
  }

  /** See {@linkcode Link}. */
  readHeader(bytes: Uint8Array, length: number, source: Sockaddr): number {
    return readSocksHeader(bytes, length, source);
  }
}
