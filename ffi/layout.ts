/**
 * Sizes and offsets of C structs, in bytes, for x86-64 and aarch64.
 * @module
 */

/** struct sockaddr_in: family (host order) at 0, port (network order) at 2, address at 4. */
export const SOCKADDR_IN_SIZE = 16;
/** struct sockaddr_in6: family at 0, port at 2, flow info at 4, address at 8, scope id (host order) at 24. */
export const SOCKADDR_IN6_SIZE = 28;
/** struct sockaddr_nl: family at 0, port id at 4, groups at 8. */
export const SOCKADDR_NL_SIZE = 12;
/** Room for any address of IPv4, IPv6 or netlink. */
export const SOCKADDR_SIZE = 32;
/** struct sockaddr_un: family at 0, path at 2, up to 108 bytes. */
export const SOCKADDR_UN_PATH = 2;
/** Bytes of its path. */
export const SOCKADDR_UN_PATH_SIZE = 108;
/** struct addrinfo, on 64-bit machines. */
export const ADDRINFO_SIZE = 48;
/** Offset of the address in sockaddr_in. */
export const SOCKADDR_IN_ADDRESS = 4;
/** Offset of the address in sockaddr_in6. */
export const SOCKADDR_IN6_ADDRESS = 8;

/** struct epoll_event as 32-bit words: packed on x86-64 (events, data), padded elsewhere (events, pad, data). */
export const EPOLL_EVENT_WORDS = Deno.build.arch === "x86_64" ? 3 : 4;
/** Word offset of `data` in struct epoll_event. */
export const EPOLL_EVENT_DATA = Deno.build.arch === "x86_64" ? 1 : 2;

/** struct iovec: base at 0, length at 8. */
export const IOVEC_SIZE = 16;
/**
 * struct mmsghdr, on 64-bit machines: name at 0, its length (32 bits) at 8, iovecs at 16, their number at 24, control at 32, its
 * length at 40, flags (32 bits) at 48; then, outside of the msghdr, the length of the datagram (32 bits).
 */
export const MMSGHDR_SIZE = 64;
/** Word offsets in struct mmsghdr. */
export const MMSGHDR_WORD = {
  name: 0,
  nameLength: 2,
  iovecs: 4,
  iovecCount: 6,
  control: 8,
  controlLength: 10,
  length: 14,
} as const;
/** struct cmsghdr: length with this header at 0, level (32 bits) at 8, type at 12. Each begins at a multiple of 8. */
export const CMSGHDR_SIZE = 16;
