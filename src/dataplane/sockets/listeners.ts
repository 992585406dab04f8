/**
 * Opens the listeners of all workers, before any worker starts: what is wrong is then told by one clear
 * error.
 * @module
 */
import { EACCES, EADDRINUSE, EADDRNOTAVAIL, EPERM } from "../../../ffi/consts.ts";
import { makeSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import type { Protocol } from "../../config/types.ts";
import { check, OperationError } from "../../net/error.ts";
import { listenerAddress } from "../../net/families.ts";
import { type Endpoint, type Family, formatEndpoint } from "../../net/ip.ts";
import type { ListenerHandle, RawSockets } from "../orders.ts";
import { steerToAsked } from "./steering.ts";
import { openListener, type SocketSigns } from "./transparent.ts";
import { openErrorSender, openReplySender, openUdpListener } from "./udp.ts";

/** Families, protocols and port to listen on. */
export interface ListenOptions {
  readonly protocols: readonly Protocol[];
  readonly families: readonly Family[];
  readonly port: number;
  readonly workers: number;
  /** Signs of the sockets towards clients. */
  readonly signs: SocketSigns;
  /** Set where first packets ask: each worker is given the connections that it was asked about. */
  readonly asking: boolean;
}

/** The sockets of a worker. */
export interface WorkerSockets {
  /** TCP, one for each family. */
  readonly tcp: readonly ListenerHandle[];
  /** UDP, one for each family. */
  readonly udp: readonly ListenerHandle[];
  /** The raw sockets through which UDP is answered. */
  readonly senders: RawSockets;
  /** The raw sockets through which clients are told of errors of UDP. */
  readonly errorSenders: RawSockets;
}

const OPEN = { tcp: openListener, udp: openUdpListener } as const;

/** The address of the listener of a family: loopback, for reasons told in families.ts. */
function listenerEndpoint(family: Family, port: number): Endpoint {
  return { address: listenerAddress(family), port };
}

/**
 * The sockets of each worker. Throws OperationError, with nothing left open, if the port is taken, or
 * transparent sockets are not permitted.
 */
export function openListeners(options: ListenOptions): WorkerSockets[] {
  const opened: number[] = [];
  const keep = (fd: number) => {
    opened.push(fd);
    return fd;
  };
  const { signs, protocols } = options;
  const endpoints = options.families.map((family) => listenerEndpoint(family, options.port));
  function openAll(protocol: Protocol): ListenerHandle[] {
    if (!protocols.includes(protocol)) return [];
    return endpoints.map((endpoint) => {
      const fd = keep(open({ protocol, endpoint, signs, shared: true }));
      return { fd, address: toSockaddr(endpoint) };
    });
  }
  function openRaw(what: string, open: (loopback: Uint8Array<ArrayBuffer>) => number): RawSockets {
    const openFor = (family: Family) => {
      if (!protocols.includes("udp") || !options.families.includes(family)) return -1;
      return keep(checkRaw(open(toSockaddr(listenerEndpoint(family, 0))), what, family));
    };
    return { ipv4: openFor("ipv4"), ipv6: openFor("ipv6") };
  }
  try {
    // SO_REUSEPORT would share the port with another tproxy without a word: the first try is without it.
    for (const protocol of protocols) {
      for (const endpoint of endpoints) closeFd(open({ protocol, endpoint, signs, shared: false }));
    }
    const sockets = Array.from({ length: options.workers }, () => ({
      tcp: openAll("tcp"),
      udp: openAll("udp"),
      senders: openRaw("answers over UDP", (loopback) => openReplySender(loopback, signs)),
      errorSenders: openRaw("ICMP errors", (loopback) => openErrorSender(loopback[0], signs)),
    }));
    if (options.asking) { for (const listener of sockets[0].tcp) steer(listener, options.workers); }
    return sockets;
  } catch (error) {
    for (const fd of opened) closeFd(fd);
    throw error;
  }
}

interface Opening {
  readonly protocol: Protocol;
  readonly endpoint: Endpoint;
  readonly signs: SocketSigns;
  readonly shared: boolean;
}

function toSockaddr(endpoint: Endpoint): Uint8Array<ArrayBuffer> {
  const address = makeSockaddr();
  writeSockaddr(address, endpoint);
  return address;
}

function steer({ fd, address }: ListenerHandle, workers: number): void {
  check(steerToAsked(fd, address[0], workers), "share connections among", `${workers} workers`);
}

function open({ protocol, endpoint, signs, shared }: Opening): number {
  const fd = OPEN[protocol]({ address: toSockaddr(endpoint), ...signs, shared });
  if (fd >= 0) return fd;
  throw new OperationError({
    operation: "listen on",
    object: `${formatEndpoint(endpoint)} (${protocol.toUpperCase()})`,
    errno: -fd,
    hint: hintFor(-fd, protocol, endpoint),
  });
}

function checkRaw(fd: number, what: string, family: Family): number {
  if (fd >= 0) return fd;
  throw new OperationError({
    operation: "open",
    object: `the raw ${family === "ipv6" ? "IPv6" : "IPv4"} socket for ${what}`,
    errno: -fd,
    hint: -fd === EPERM ? "It needs root, or CAP_NET_RAW and CAP_NET_ADMIN" : "",
  });
}

function hintFor(errno: number, protocol: Protocol, { address, port }: Endpoint): string {
  switch (errno) {
    case EADDRINUSE:
      return "Another program holds the port, perhaps another tproxy run; " +
        `"ss -${
          protocol === "tcp" ? "ltnp" : "lunp"
        } sport = :${port}" shows which. Stop it, or set listener.port`;
    case EPERM:
    case EACCES:
      return "Transparent sockets need root, or CAP_NET_ADMIN and CAP_NET_RAW";
    case EADDRNOTAVAIL:
      return address.family === "ipv6"
        ? "IPv6 is off on the loopback interface: set intercept.families to [ipv4], or net.ipv6.conf.lo.disable_ipv6 to 0"
        : "Is the loopback interface up?";
    default:
      return "";
  }
}
