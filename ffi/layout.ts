/**
 * Sizes and offsets of C structs, in bytes, for x86-64 and aarch64. Pure.
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
/**
 * Offsets in struct addrinfo. Flags, family, type and address length have 32 bits, address and next are
 * pointers.
 */
export const ADDRINFO = { flags: 0, family: 4, type: 8, addressLength: 16, address: 24, next: 40 } as const;
/** Offset of the address in sockaddr_in. */
export const SOCKADDR_IN_ADDRESS = 4;
/** Offset of the address in sockaddr_in6. */
export const SOCKADDR_IN6_ADDRESS = 8;

/** struct iovec: base at 0, length at 8. */
export const IOVEC_SIZE = 16;
/**
 * struct mmsghdr, on 64-bit machines: name at 0, its length (32 bits) at 8, iovecs at 16, their number at 24,
 * control at 32, its length at 40, flags (32 bits) at 48; then, outside of the msghdr, the length of the
 * datagram (32 bits).
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
/**
 * struct cmsghdr: length with this header at 0, level (32 bits) at 8, type at 12. Each begins at a multiple
 * of 8.
 */
export const CMSGHDR_SIZE = 16;
/** Word offsets in struct cmsghdr. */
export const CMSGHDR_WORD = { length: 0, level: 2, type: 3 } as const;
/** struct in_pktinfo: interface at 0, source at 4, unused when sending. */
export const IN_PKTINFO_SIZE = 12;
/** Word offset of the source (ipi_spec_dst) in struct in_pktinfo. */
export const IN_PKTINFO_SOURCE = 1;
/** struct in6_pktinfo: source at 0, interface at 16. */
export const IN6_PKTINFO_SIZE = 20;
/** Byte offsets in struct sock_extended_err, after its errno (32 bits): one byte each. */
export const SOCK_EXTENDED_ERR = { origin: 4, type: 5, code: 6, info: 8 } as const;

/** struct pollfd: the descriptor (32 bits) at 0, events (16 bits) at 4, revents at 6. */
export const POLLFD_SIZE = 8;
/** Offsets in struct pollfd as 16-bit words. */
export const POLLFD_WORD = { events: 2, revents: 3 } as const;
/** struct linger: l_onoff at 0, l_linger at 4, 32 bits each. */
export const LINGER_SIZE = 8;
/** struct timeval: seconds at 0, microseconds at 8, 64 bits each. */
export const TIMEVAL_SIZE = 16;
/** struct timespec: seconds at 0, nanoseconds at 8, 64 bits each. */
export const TIMESPEC_SIZE = 16;
/** struct rlimit: soft limit at 0, hard limit at 8, 64 bits each. */
export const RLIMIT_SIZE = 16;
/** struct statfs, on 64-bit machines: words of 64 bits. */
export const STATFS_SIZE = 120;
/** Offsets in struct statfs as 64-bit words: magic number, bytes of a block, blocks that anybody may take. */
export const STATFS_WORD = { type: 0, blockSize: 1, available: 4 } as const;
/** struct sock_fprog: number of instructions (16 bits) at 0, pointer to them at 8. */
export const SOCK_FPROG_SIZE = 16;
/** Offset of the pointer in struct sock_fprog. */
export const SOCK_FPROG_FILTER = 8;
/** struct sock_filter: code (16 bits) at 0, jumps at 2 and 3, operand (32 bits) at 4. */
export const SOCK_FILTER_SIZE = 8;
