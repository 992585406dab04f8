/**
 * Calls of the C library for the laboratory's UDP sockets, beyond ffi/: its own sendto and recvfrom, not
 * those of the data plane that is tested, and a way to make a socket in a namespace.
 * @module
 */
import { result } from "../../../ffi/errno.ts";
import { enterNetwork, openReadOnly } from "../../../ffi/process.ts";
import { makeSockaddr, readSockaddr, sockaddrLength, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { check } from "../../../src/net/error.ts";
import { formatEndpoint, parseEndpoint } from "../../../src/net/ip.ts";

const libc = Deno.dlopen("libc.so.6", {
  sendto: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", /* const struct sockaddr * */ "u32"],
    result: "i32", // ssize_t
  },
  recvfrom: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", "buffer" /* socklen_t * */],
    result: "i32",
  },
}).symbols;

const MAX_DATAGRAM = 65_535;
const buffer = new Uint8Array(MAX_DATAGRAM);
const peer = makeSockaddr();
const peerLength = new Uint32Array(1);

/** Bytes and the `address:port` that they came from. */
export interface Received {
  readonly data: Uint8Array;
  readonly from: string;
}

/** sendto(2); without an address to the connected peer. Bytes or -errno. */
export function sendTo(fd: number, data: Uint8Array, to?: Uint8Array<ArrayBuffer>): number {
  const bytes = data as Uint8Array<ArrayBuffer>;
  return result(
    libc.sendto(fd, bytes, BigInt(bytes.length), 0, to ?? null, to === undefined ? 0 : sockaddrLength(to)),
  );
}

/** recvfrom(2) of a whole datagram, or -errno. */
export function receiveFrom(fd: number): Received | number {
  peerLength[0] = peer.length;
  const length = result(libc.recvfrom(fd, buffer, BigInt(buffer.length), 0, peer, peerLength));
  if (length < 0) return length;
  return { data: buffer.slice(0, length), from: formatEndpoint(readSockaddr(peer)) };
}

/** struct sockaddr of `address:port`. */
export function toSockaddr(text: string): Uint8Array<ArrayBuffer> {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined) throw new Error(`Not address:port: "${text}"`);
  const address = makeSockaddr();
  writeSockaddr(address, endpoint);
  return address;
}

/**
 * Runs the code with this thread in the named namespace. Synchronous code only; a socket stays where it was
 * made.
 */
export function inNamespace<T>(name: string, code: () => T): T {
  const home = check(openReadOnly("/proc/thread-self/ns/net"), "open namespace", "of this thread");
  const away = check(openReadOnly(`/run/netns/${name}`), "open namespace", name);
  try {
    check(enterNetwork(away), "enter namespace", name);
    return code();
  } finally {
    check(enterNetwork(home), "return to namespace", "of this thread");
    closeFd(away);
    closeFd(home);
  }
}
