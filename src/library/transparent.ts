/**
 * Transparent sockets for other programs: listen for what the kernel steers here, learn the original
 * destination, dial from any address. Descriptors are non-blocking; poll them, or put them into an epoll of
 * your own.
 * @module
 */
import { EAGAIN, ECONNABORTED, EINTR, EPERM } from "../../ffi/consts.ts";
import { makeSockaddr, readSockaddr, writeSockaddr } from "../../ffi/sockets/sockaddr.ts";
import { acceptSocket, closeFd, localAddress } from "../../ffi/sockets/socket.ts";
import { check } from "../net/error.ts";
import { type Endpoint, formatEndpoint } from "../net/ip.ts";
import { connectFrom } from "../dataplane/upstream/direct.ts";
import { openListener } from "../dataplane/sockets/transparent.ts";

/** A connection that a transparent listener has accepted. */
export interface TransparentConnection {
  /** Its descriptor, non-blocking; the caller closes it. */
  readonly fd: number;
  /** The client's address and port. */
  readonly client: Endpoint;
  /** The server that the client wanted. */
  readonly destination: Endpoint;
}

function hintFor(returned: number): string {
  return returned === -EPERM ? "Transparent sockets need root, or CAP_NET_ADMIN and CAP_NET_RAW" : "";
}

/** A transparent TCP listener. Close it, or let `using` do so. */
export class TransparentListener implements Disposable {
  /** Its descriptor, non-blocking. */
  readonly fd: number;
  readonly #peer = makeSockaddr();
  readonly #local = makeSockaddr();

  /** Listens on `endpoint`. Throws OperationError, with EPERM where transparent sockets are not permitted. */
  constructor(endpoint: Endpoint) {
    const address = makeSockaddr();
    writeSockaddr(address, endpoint);
    const opened = openListener({ address, mark: 0, shared: false });
    this.fd = check(opened, "listen on", formatEndpoint(endpoint), hintFor(opened));
  }

  /** The next connection, or undefined if none waits. Throws OperationError. */
  accept(): TransparentConnection | undefined {
    const fd = acceptSocket(this.fd, this.#peer);
    if (fd === -EAGAIN || fd === -EINTR || fd === -ECONNABORTED) return undefined;
    check(fd, "accept");
    const found = localAddress(fd, this.#local);
    if (found < 0) closeFd(fd);
    check(found, "find", "the original destination");
    return { fd, client: readSockaddr(this.#peer), destination: readSockaddr(this.#local) };
  }

  /** Stops listening. */
  close(): void {
    closeFd(this.fd);
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Begins to dial `to` from the address `from`, which need not be this machine's; its port may be 0, "any".
 * The descriptor, non-blocking: it is writable when the connection stands. Throws OperationError.
 */
export function dialTransparent(to: Endpoint, from: Endpoint): number {
  const source = makeSockaddr();
  writeSockaddr(source, from);
  const destination = makeSockaddr();
  writeSockaddr(destination, to);
  const dialled = connectFrom(destination, source);
  return check(dialled, "dial", `${formatEndpoint(to)} from ${formatEndpoint(from)}`, hintFor(dialled));
}
