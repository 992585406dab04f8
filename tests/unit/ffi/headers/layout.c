/*
 * Values of the C headers of a processor: a line "NAME VALUE" for each size and offset of ffi/layout.ts and,
 * from the list that headers_test.ts makes of ffi/consts.ts, for each constant.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <time.h>

#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sockios.h>

static void line(const char *name, long long value) { printf("%s %lld\n", name, value); }

#define CONSTANT(name) line(#name, (long long)(name));
#define SIZE(name, type) line(name, (long long)sizeof(type));
#define OFFSET(name, type, field) line(name, (long long)offsetof(type, field));
#define WORD(name, type, field) line(name, (long long)offsetof(type, field) / 4);

static void structs(void)
{
  SIZE("SOCKADDR_IN_SIZE", struct sockaddr_in)
  SIZE("SOCKADDR_IN6_SIZE", struct sockaddr_in6)
  SIZE("SOCKADDR_NL_SIZE", struct sockaddr_nl)
  OFFSET("SOCKADDR_UN_PATH", struct sockaddr_un, sun_path)
  line("SOCKADDR_UN_PATH_SIZE", (long long)sizeof((struct sockaddr_un *)0)->sun_path);
  OFFSET("SOCKADDR_IN_ADDRESS", struct sockaddr_in, sin_addr)
  OFFSET("SOCKADDR_IN6_ADDRESS", struct sockaddr_in6, sin6_addr)

  SIZE("ADDRINFO_SIZE", struct addrinfo)
  OFFSET("ADDRINFO.flags", struct addrinfo, ai_flags)
  OFFSET("ADDRINFO.family", struct addrinfo, ai_family)
  OFFSET("ADDRINFO.type", struct addrinfo, ai_socktype)
  OFFSET("ADDRINFO.addressLength", struct addrinfo, ai_addrlen)
  OFFSET("ADDRINFO.address", struct addrinfo, ai_addr)
  OFFSET("ADDRINFO.next", struct addrinfo, ai_next)

  line("EPOLL_EVENT_WORDS", (long long)sizeof(struct epoll_event) / 4);
  WORD("EPOLL_EVENT_DATA", struct epoll_event, data)

  SIZE("IOVEC_SIZE", struct iovec)
  SIZE("MMSGHDR_SIZE", struct mmsghdr)
  WORD("MMSGHDR_WORD.name", struct mmsghdr, msg_hdr.msg_name)
  WORD("MMSGHDR_WORD.nameLength", struct mmsghdr, msg_hdr.msg_namelen)
  WORD("MMSGHDR_WORD.iovecs", struct mmsghdr, msg_hdr.msg_iov)
  WORD("MMSGHDR_WORD.iovecCount", struct mmsghdr, msg_hdr.msg_iovlen)
  WORD("MMSGHDR_WORD.control", struct mmsghdr, msg_hdr.msg_control)
  WORD("MMSGHDR_WORD.controlLength", struct mmsghdr, msg_hdr.msg_controllen)
  WORD("MMSGHDR_WORD.length", struct mmsghdr, msg_len)
  SIZE("CMSGHDR_SIZE", struct cmsghdr)
  WORD("CMSGHDR_WORD.length", struct cmsghdr, cmsg_len)
  WORD("CMSGHDR_WORD.level", struct cmsghdr, cmsg_level)
  WORD("CMSGHDR_WORD.type", struct cmsghdr, cmsg_type)
  SIZE("IN_PKTINFO_SIZE", struct in_pktinfo)
  WORD("IN_PKTINFO_SOURCE", struct in_pktinfo, ipi_spec_dst)
  SIZE("IN6_PKTINFO_SIZE", struct in6_pktinfo)
  OFFSET("SOCK_EXTENDED_ERR.origin", struct sock_extended_err, ee_origin)
  OFFSET("SOCK_EXTENDED_ERR.type", struct sock_extended_err, ee_type)
  OFFSET("SOCK_EXTENDED_ERR.code", struct sock_extended_err, ee_code)
  OFFSET("SOCK_EXTENDED_ERR.info", struct sock_extended_err, ee_info)

  SIZE("POLLFD_SIZE", struct pollfd)
  line("POLLFD_WORD.events", (long long)offsetof(struct pollfd, events) / 2);
  line("POLLFD_WORD.revents", (long long)offsetof(struct pollfd, revents) / 2);
  SIZE("LINGER_SIZE", struct linger)
  SIZE("TIMEVAL_SIZE", struct timeval)
  SIZE("TIMESPEC_SIZE", struct timespec)
  SIZE("RLIMIT_SIZE", struct rlimit)
  SIZE("STATFS_SIZE", struct statfs)
  line("STATFS_WORD.type", (long long)offsetof(struct statfs, f_type) / 8);
  line("STATFS_WORD.blockSize", (long long)offsetof(struct statfs, f_bsize) / 8);
  line("STATFS_WORD.available", (long long)offsetof(struct statfs, f_bavail) / 8);
  SIZE("SOCK_FPROG_SIZE", struct sock_fprog)
  OFFSET("SOCK_FPROG_FILTER", struct sock_fprog, filter)
  SIZE("SOCK_FILTER_SIZE", struct sock_filter)
}

/* Facts that comments of ffi/ name, and no constant. */
_Static_assert(offsetof(struct sockaddr_in, sin_port) == 2 && offsetof(struct sockaddr_in6, sin6_port) == 2, "port");
_Static_assert(offsetof(struct sockaddr_in6, sin6_scope_id) == 24, "scope id");
_Static_assert(offsetof(struct sockaddr_nl, nl_pid) == 4 && offsetof(struct sockaddr_nl, nl_groups) == 8, "sockaddr_nl");
_Static_assert(offsetof(struct iovec, iov_base) == 0 && offsetof(struct iovec, iov_len) == 8, "iovec");
_Static_assert(offsetof(struct in6_pktinfo, ipi6_addr) == 0 && offsetof(struct in6_pktinfo, ipi6_ifindex) == 16, "in6");
_Static_assert(offsetof(struct linger, l_onoff) == 0 && offsetof(struct linger, l_linger) == 4, "linger");
_Static_assert(offsetof(struct timeval, tv_sec) == 0 && offsetof(struct timeval, tv_usec) == 8, "timeval");
_Static_assert(offsetof(struct timespec, tv_sec) == 0 && offsetof(struct timespec, tv_nsec) == 8, "timespec");
_Static_assert(offsetof(struct rlimit, rlim_cur) == 0 && offsetof(struct rlimit, rlim_max) == 8, "rlimit");
_Static_assert(sizeof(((struct statfs *)0)->f_type) == 8 && sizeof(((struct statfs *)0)->f_bavail) == 8, "statfs");
_Static_assert(offsetof(struct sock_fprog, len) == 0 && offsetof(struct sock_filter, k) == 4, "filter");
_Static_assert(offsetof(struct pollfd, fd) == 0 && CMSG_ALIGN(1) == 8 && CMSG_LEN(0) == sizeof(struct cmsghdr), "cmsg");
/* Numbers of these sizes go through ffi/libc.ts. */
_Static_assert(sizeof(int) == 4 && sizeof(socklen_t) == 4 && sizeof(mode_t) == 4, "32 bits");
_Static_assert(sizeof(size_t) == 8 && sizeof(nfds_t) == 8 && sizeof(void *) == 8, "64 bits");

int main(void)
{
  structs();
#include "constants.h"
  return 0;
}
