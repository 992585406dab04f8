/**
 * Dials from addresses that are not this machine's.
 * @module
 */
import { makeSockaddr, readSockaddr, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { localAddress } from "../../../ffi/sockets/socket.ts";
import { takeSocketError } from "../../../ffi/sockets/sockopt.ts";
import { connectFrom } from "../../dataplane/upstream/direct.ts";
import { check } from "../../net/error.ts";
import type { Endpoint } from "../../net/ip.ts";
import { TransparentConnection } from "./connection.ts";
import { type WatchedSocket, watchSocket } from "./readiness.ts";
import { checkTransparent, describeCall } from "./refusal.ts";

/** A call: the server, and the address that it sees. */
export interface DialOptions {
  /** The server. */
  readonly to: Endpoint;
  /** The address and port that the server sees, which need not be this machine's; port 0: any. */
  readonly from: Endpoint;
  /** SO_MARK, where rules of the kernel must know the proxy's own connections; 0: none, the default. */
  readonly mark?: number;
  /** Ends the attempt: it throws the signal's reason. Later the signal does nothing. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to a server from an address that need not be this machine's: the answers must come back by way of
 * this machine. Throws OperationError: ECONNREFUSED, ETIMEDOUT and their like, and EPERM where transparent
 * sockets are not permitted.
 */
export async function dialTransparent(options: DialOptions): Promise<TransparentConnection> {
  const { signal } = options;
  signal?.throwIfAborted();
  const socket = watchSocket(begin(options));
  const abort = () => socket.close();
  signal?.addEventListener("abort", abort);
  try {
    await socket.writable();
    signal?.throwIfAborted();
    check(-takeSocketError(socket.fd), "dial", describeCall(options));
    return new TransparentConnection(socket, {
      client: nameOf(socket, options.from),
      destination: options.to,
    });
  } catch (error) {
    socket.close();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** A socket whose connect(2) has begun. */
function begin({ to, from, mark }: DialOptions): number {
  const [source, destination] = [makeSockaddr(), makeSockaddr()];
  writeSockaddr(source, from);
  writeSockaddr(destination, to);
  const dialled = connectFrom(destination, source, false, mark ?? 0);
  return checkTransparent(dialled, "dial", describeCall({ to, from }));
}

/** The address that it was dialled from, with the port that the kernel chose. */
function nameOf(socket: WatchedSocket, from: Endpoint): Endpoint {
  const local = makeSockaddr();
  return localAddress(socket.fd, local) < 0 ? from : readSockaddr(local);
}
