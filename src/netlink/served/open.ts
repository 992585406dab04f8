/**
 * The opening of netlink sockets: by this process, or by the server where there is one.
 * @module
 */
import { AF_NETLINK, SO_RCVBUF, SO_RCVBUFFORCE, SOCK_RAW } from "../../../ffi/consts.ts";
import { netlinkAddress } from "../../../ffi/sockets/sockaddr.ts";
import { bindSocket, closeFd, openSocket } from "../../../ffi/sockets/socket.ts";
import { setBufferSize } from "../../../ffi/sockets/sockopt.ts";
import { nextPort } from "./port.ts";
import { type Channel, netlinkServer, openServed, type ServedSocket } from "./server.ts";

/** A socket to be opened. */
export interface WantedSocket extends Omit<ServedSocket, "silent"> {
  /** Its calls wait, where this process opens it; the server's do not. Default: they do not. */
  readonly blocking?: boolean;
  /** Its port is one of ours (port.ts), as the server's always are. Default: one of the kernel's choice. */
  readonly ours?: boolean;
}

/** An open socket. */
export interface OpenedSocket {
  readonly fd: number;
  /** Sends for us; undefined: this process sends by itself. */
  readonly channel: Channel | undefined;
}

/** Opens a socket, by the server where there is one. -errno where that fails. */
export function openNetlinkSocket(wanted: WantedSocket): OpenedSocket | number {
  return netlinkServer() >= 0 ? openServed(wanted) : openPlain(wanted);
}

/** Opens one by this process, whoever else could. -errno where that fails. */
export function openPlain(
  { protocol, groups = 0, buffer = 0, blocking = false, ours = false }: WantedSocket,
): OpenedSocket | number {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, { protocol, blocking });
  if (fd < 0) return fd;
  // Without privilege it may be smaller.
  if (buffer > 0) setBufferSize(fd, { name: SO_RCVBUF, force: SO_RCVBUFFORCE, bytes: buffer });
  const bound = ours ? bindOurs(fd, groups) : bindTo(fd, 0, groups);
  if (bound >= 0) return { fd, channel: undefined };
  closeFd(fd);
  return bound;
}

/** Binds to a number of ours. Where it is taken, the kernel chooses. */
function bindOurs(fd: number, groups: number): number {
  const bound = bindTo(fd, nextPort(), groups);
  return bound >= 0 ? bound : bindTo(fd, 0, groups);
}

function bindTo(fd: number, port: number, groups: number): number {
  const address = netlinkAddress({ port, groups });
  return bindSocket(fd, address, address.length);
}
