/**
 * The first client of a UDP socket, and a socket that talks to that one from the address that it has sent to.
 * @module
 */
import {
  AF_INET6,
  EAGAIN,
  EINTR,
  IP_RECVORIGDSTADDR,
  IPV6_RECVORIGDSTADDR,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
} from "../../../ffi/consts.ts";
import { ReceiveBatch } from "../../../ffi/sockets/receive_batch.ts";
import { makeSockaddr, sameSockaddr, sockaddrLength } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd, connectSocket } from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";
import { openBound, tryTransparent } from "../../dataplane/sockets/transparent.ts";
import { check } from "../../net/error.ts";
import { formatSockaddr, type Sockaddr } from "../arguments/endpoints.ts";
import { nameOf, waitForInput } from "./socket.ts";

/** More of its datagrams than these may be lost: those that came before there was a socket for them. */
const MAX_EARLY = 64;

/** A client. */
export interface FirstClient {
  /** A socket connected to it. */
  readonly connected: number;
  readonly client: Sockaddr;
  /** The address that it has sent to. */
  readonly destination: Sockaddr;
  /** The bytes that it has sent. */
  readonly first: Uint8Array;
}

interface Datagram {
  readonly client: Sockaddr;
  readonly destination: Sockaddr | null;
  readonly bytes: Uint8Array;
}

/**
 * Waits for the first datagram at `fd`, which it closes where another socket takes its place. Throws
 * OperationError.
 */
export function takeClient(fd: number): FirstClient {
  const own = nameOf(fd);
  if (own[0] === AF_INET6) setInt(fd, SOL_IPV6, IPV6_RECVORIGDSTADDR, 1);
  else setInt(fd, SOL_IP, IP_RECVORIGDSTADDR, 1);
  const batch = new ReceiveBatch(1);
  let datagram: Datagram | null = null;
  while (datagram === null) {
    waitForInput(fd);
    datagram = receiveOne(fd, batch);
  }
  const { client, bytes } = datagram;
  const destination = datagram.destination ?? own;
  const connected = connectFrom(fd, { own, destination, client });
  const early = [bytes];
  // From here on the kernel gives its datagrams to the other socket.
  while (connected !== fd && early.length < MAX_EARLY) {
    const next = receiveOne(fd, batch);
    if (next === null) break;
    if (sameSockaddr(next.client, client)) early.push(next.bytes);
  }
  if (connected !== fd) closeFd(fd);
  return { connected, client, destination, first: concatenate(early) };
}

/** A datagram, null if there is none (any more). */
function receiveOne(fd: number, batch: ReceiveBatch): Datagram | null {
  const received = batch.receive(fd, 0);
  if (received === -EAGAIN || received === -EINTR || received === 0) return null;
  check(received, "receive", "a datagram");
  batch.inspect(0);
  const start = batch.dataOffset(0);
  return {
    client: copySockaddr(batch, batch.name(0)),
    destination: batch.destination < 0 ? null : copySockaddr(batch, batch.destination),
    bytes: batch.bytes.slice(start, start + batch.length(0)),
  };
}

function copySockaddr(batch: ReceiveBatch, word: number): Sockaddr {
  const address = makeSockaddr();
  const from = batch.bytes.subarray(word * 4);
  address.set(from.subarray(0, sockaddrLength(from)));
  return address;
}

/**
 * A socket on all addresses, or one that traffic was steered to, would answer from another address than the
 * client has sent to.
 */
function connectFrom(
  fd: number,
  names: { own: Sockaddr; destination: Sockaddr; client: Sockaddr },
): number {
  const { own, destination, client } = names;
  let connected = fd;
  if (!sameSockaddr(own, destination)) {
    setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    const transparent = tryTransparent(destination[0]) >= 0;
    const beside = openBound({ type: SOCK_DGRAM, address: destination, transparent, beside: true });
    connected = check(beside, "answer from", formatSockaddr(destination));
  }
  check(connectSocket(connected, client), "connect to", formatSockaddr(client));
  return connected;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
