/**
 * Connections of the library over 127.0.0.1, without privileges.
 * @module
 */
import { readSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { TransparentConnection } from "../../../../src/library/sockets/connection.ts";
import { watchSocket } from "../../../../src/library/sockets/readiness.ts";
import { addressOf, tcpPair } from "../../ffi/support/tcp.ts";

/** A connection of the library, and the descriptor of its other end. */
export function connectionAndPeer(
  options: { smallBuffers?: boolean } = {},
): [connection: TransparentConnection, peer: number] {
  const [dialled, accepted] = tcpPair(options);
  const ends = { client: readSockaddr(addressOf(dialled)), destination: readSockaddr(addressOf(accepted)) };
  return [new TransparentConnection(watchSocket(dialled), ends), accepted];
}

/** Both ends of a connection as connections of the library. */
export function connectionPair(
  options: { smallBuffers?: boolean } = {},
): [client: TransparentConnection, server: TransparentConnection] {
  const [dialled, accepted] = tcpPair(options);
  const ends = { client: readSockaddr(addressOf(dialled)), destination: readSockaddr(addressOf(accepted)) };
  return [
    new TransparentConnection(watchSocket(dialled), ends),
    new TransparentConnection(watchSocket(accepted), ends),
  ];
}

/** Lets everything that is ready happen. */
export function settle(milliseconds = 50): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
