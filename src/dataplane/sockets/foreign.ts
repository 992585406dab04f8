/**
 * Addresses of other machines.
 * @module
 */
import { EADDRNOTAVAIL, SOCK_STREAM } from "../../../ffi/consts.ts";
import { clearPort } from "../../../ffi/sockets/sockaddr.ts";
import { bindSocket, closeFd, openNonBlocking } from "../../../ffi/sockets/socket.ts";

/** Whether the address is not one of this machine's: an ordinary socket cannot have it. */
export function isForeign(address: Uint8Array<ArrayBuffer>): boolean {
  const fd = openNonBlocking(address[0], SOCK_STREAM);
  if (fd < 0) return false;
  const probe = address.slice();
  clearPort(probe);
  const returned = bindSocket(fd, probe);
  closeFd(fd);
  return returned === -EADDRNOTAVAIL;
}
