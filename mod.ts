/**
 * Transparent sockets for Deno programs on Linux: listen for connections that the kernel steers here, learn
 * where they were going, and dial from any address. Waiting costs nothing: there is one epoll for all
 * sockets.
 *
 * Loads with `--allow-ffi`, and needs nothing else. Transparent sockets need root, or CAP_NET_ADMIN and
 * CAP_NET_RAW, and the kernel's rules, which `@tproxy/tproxy/install` makes.
 *
 * @example A proxy that nobody sees: servers see the client's address, the client sees the server's.
 * ```ts ignore
 * import { dialTransparent, listenTransparent, type TransparentConnection } from "@tproxy/tproxy";
 *
 * async function relay(client: TransparentConnection) {
 *   const server = await dialTransparent({ to: client.destination, from: client.client });
 *   await Promise.all([client.readable.pipeTo(server.writable), server.readable.pipeTo(client.writable)]);
 * }
 *
 * using listener = listenTransparent({ port: 50080 });
 * for await (const client of listener) relay(client).catch(() => client.close());
 * ```
 * @module
 */
export { TransparentConnection } from "./src/library/sockets/connection.ts";
export { type DialOptions, dialTransparent } from "./src/library/sockets/dial.ts";
export { dialTransparentUdp, TransparentUdpSocket } from "./src/library/sockets/dial_udp.ts";
export { listenTransparent, TransparentListener } from "./src/library/sockets/listen.ts";
export {
  type Datagram,
  listenTransparentUdp,
  TransparentUdpListener,
} from "./src/library/sockets/listen_udp.ts";
export type { ListenOptions } from "./src/library/sockets/listeners.ts";
export {
  type Endpoint,
  type Family,
  formatEndpoint,
  type IpAddress,
  parseEndpoint,
  parseIp,
} from "./src/net/ip.ts";
export { OperationError } from "./src/net/error.ts";
