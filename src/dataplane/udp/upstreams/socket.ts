/**
 * Sockets towards upstreams.
 * @module
 */
import { closeFd, connectSocket } from "../../../../ffi/sockets/socket.ts";
import { openUdpUpstream } from "../../sockets/udp.ts";
import type { Sockaddr } from "../../upstream/upstream.ts";

/**
 * A UDP socket that sends to a relay, and hears nobody else. It lets the path cut datagrams: with a header
 * before it, one of the client's may be too large. `mark`: SO_MARK, 0 for none. The descriptor or -errno.
 */
export function openToRelay(relay: Sockaddr, mark: number): number {
  const fd = openUdpUpstream(relay[0], null, { tos: false, errors: false, stream: true, mark });
  if (fd < 0) return fd;
  const returned = connectSocket(fd, relay);
  if (returned >= 0) return fd;
  closeFd(fd);
  return returned;
}
