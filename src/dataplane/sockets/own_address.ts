/**
 * The question to the kernel: is this address one of the machine's? bind(2) is no answer:
 * net.ipv4.ip_nonlocal_bind, which keepalived and HAProxy set, lets a socket have any.
 * @module
 */
import { AF_INET, EACCES, IP_MULTICAST_IF, SOCK_DGRAM, SOL_IP } from "../../../ffi/consts.ts";
import { makeSockaddr, sameSockaddr, setPort } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd, connectSocket, localAddress, openNonBlocking } from "../../../ffi/sockets/socket.ts";
import { setInt } from "../../../ffi/sockets/sockopt.ts";

/** Any will do: nothing is sent. */
export const DISCARD_PORT = 9;
/** A struct sockaddr of AF_UNSPEC: connect(2) with it takes an earlier connect(2) back. */
const NOBODY = makeSockaddr();
/** The first bytes of multicast addresses. */
const IPV4_MULTICAST_FIRST = 224;
const IPV4_MULTICAST_LAST = 239;
const IPV6_MULTICAST = 0xff;

/**
 * Tells whether an interface has the address. `address` has {@linkcode DISCARD_PORT}; `fd` is a UDP socket of
 * its family, `local` has room for an answer.
 */
export function hasAddress(
  fd: number,
  address: Uint8Array<ArrayBuffer>,
  local: Uint8Array<ArrayBuffer>,
): boolean {
  // Multicast leaves through the interface that has the address, if one has it.
  if (address[0] === AF_INET) {
    return setInt(fd, SOL_IP, IP_MULTICAST_IF, new Int32Array(address.buffer)[1]) >= 0;
  }
  // To its own addresses the router talks from these themselves. (IPv4 does so from the first address of the
  // network.)
  const known = connectSocket(fd, address) >= 0 && localAddress(fd, local) >= 0;
  connectSocket(fd, NOBODY);
  if (!known) return false;
  setPort(local, DISCARD_PORT);
  return sameSockaddr(local, address);
}

/**
 * Tells whether an address belongs to this machine: an interface has it, or every machine has it, as
 * wildcard, multicast and broadcast. Opens a socket for the question: for set-up, not for the hot path.
 * Without the family: true.
 */
export function isOwnAddress(address: Uint8Array<ArrayBuffer>): boolean {
  const probe = address.slice();
  setPort(probe, DISCARD_PORT);
  if (isWildcard(probe) || isMulticast(probe)) return true;
  const fd = openNonBlocking(probe[0], SOCK_DGRAM);
  if (fd < 0) return true;
  const own = hasAddress(fd, probe, makeSockaddr()) || isBroadcast(fd, probe);
  closeFd(fd);
  return own;
}

function isWildcard(address: Uint8Array): boolean {
  return address[0] === AF_INET
    ? address.subarray(4, 8).every((byte) => byte === 0)
    : address.subarray(8, 24).every((byte) => byte === 0);
}

function isMulticast(address: Uint8Array): boolean {
  return address[0] === AF_INET
    ? address[4] >= IPV4_MULTICAST_FIRST && address[4] <= IPV4_MULTICAST_LAST
    : address[8] === IPV6_MULTICAST;
}

/** The kernel lets no socket connect there without SO_BROADCAST. */
function isBroadcast(fd: number, address: Uint8Array<ArrayBuffer>): boolean {
  return address[0] === AF_INET && connectSocket(fd, address) === -EACCES;
}
