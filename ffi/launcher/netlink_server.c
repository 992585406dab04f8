/* The one who changes the kernel's rules. CAP_NET_ADMIN stays with this child of the launcher: the kernel
 * asks for it of who opens a netlink socket and of who sends on it, and not of who reads. So the child opens
 * it, the proxy reads it, and what the proxy wants to send comes by a channel and is checked first
 * (netlink_check.c).
 *
 *   socket 0    struct question, with the channel's other end, a SOCK_SEQPACKET: opens it, and answers on it
 *   channel     a datagram of netlink; or its size (8 bytes) and a memfd that holds a long one
 *   answer      4 bytes: what send(2) has come to, bytes or -errno; EPERM: it is none of the proxy's business
 *
 * A channel of the kind SERVICES takes struct wish instead: things that CAP_NET_ADMIN may do to a
 * descriptor, and the one sysctl. The netlink socket closes with its channel, unless the proxy has it open.
 */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SYSCTL "/proc/sys/net/ipv4/tcp_early_demux"
enum { PROXY = 0, SYSCTL_FD = 1 };
#define MOST_CHANNELS 512
#define MOST_BYTES (64 << 20)     /* of a datagram: rules of a million addresses have 40 MB */
#define MOST_BUFFER (8 << 20)
#define DATAGRAM_SIZE (64 << 10)
#define TABLE_GROUP (1u << 6)     /* NFNLGRP_NFTABLES */
#define ROUTE_GROUPS 0x404c1u     /* links, routes and rules of both families */

enum { LIMITS = 1, OPEN = 2, ADOPT = 3, SERVICES = 4 }; /* of a question */
struct question {
  uint32_t kind;
  uint32_t protocol, port, groups, buffer, silent; /* silent: nothing is answered */
  struct netlink_limits limits;
};

enum { RECEIVE_BUFFER = 1, SEND_BUFFER = 2, SILENCE = 3, EARLY_DEMUX = 4 }; /* of a wish */
struct wish {
  uint32_t kind, value;
};

struct channel {
  int fd, netlink; /* -1: none */
  int protocol, silent;
};

static const short SERVER_CALLS[] = {
  SYS_socket, SYS_bind, SYS_setsockopt, SYS_getsockopt, SYS_sendto, SYS_sendmsg, SYS_recvmsg, SYS_epoll_create1,
  SYS_epoll_ctl, SYS_epoll_pwait, SYS_close, SYS_fstat, SYS_newfstatat, SYS_pread64, SYS_pwrite64, SYS_mmap, SYS_munmap,
  SYS_mremap, SYS_brk, SYS_exit_group, SYS_rt_sigreturn, SYS_restart_syscall,
#ifdef __x86_64__
  SYS_epoll_wait,
#endif
  -1,
};

static struct channel channels[MOST_CHANNELS];
static struct netlink_limits limits;
static int waiting = -1; /* epoll */

/* Takes a message and its descriptors: the bytes, 0 at the end, -1: nothing, or nothing that may be. */
static ssize_t take(int socket, void *bytes, size_t size, int fds[2])
{
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(2 * sizeof(int))];
  } control;
  struct iovec data = { bytes, size };
  struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
  fds[0] = fds[1] = -1;
  ssize_t length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (length < 0) return errno == EAGAIN || errno == EINTR ? -1 : 0;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
    memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
  return message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? 0 : length;
}

static void close_both(int fds[2])
{
  for (int i = 0; i < 2; i++)
    if (fds[i] >= 0) close(fds[i]);
}

static void close_channel(struct channel *channel)
{
  close(channel->fd);
  if (channel->netlink >= 0) close(channel->netlink);
  channel->fd = -1;
}

static int option_of(int fd, int name)
{
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &length) ? -1 : value;
}

static int is_protocol(int protocol) { return protocol == NETLINK_ROUTE || protocol == NETLINK_NETFILTER; }

static int force(int fd, int name, size_t bytes)
{
  int size = (int)(bytes < MOST_BUFFER ? bytes : MOST_BUFFER);
  return setsockopt(fd, SOL_SOCKET, name, &size, sizeof size) ? -errno : 0;
}

/* A netlink socket with the port that the proxy's are known by, or another where that is taken. */
static int open_netlink(const struct question *question)
{
  uint32_t allowed = question->protocol == NETLINK_ROUTE ? ROUTE_GROUPS : TABLE_GROUP;
  struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_pid = question->port, .nl_groups = question->groups };
  if (!is_protocol((int)question->protocol) || question->groups & ~allowed) return -EPERM;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)question->protocol);
  if (fd < 0) return -errno;
  int result = bind(fd, (struct sockaddr *)&address, sizeof address);
  address.nl_pid = 0;
  if (result) result = bind(fd, (struct sockaddr *)&address, sizeof address);
  if (result) {
    result = -errno;
    close(fd);
    return result;
  }
  if (question->buffer) (void)force(fd, SO_RCVBUFFORCE, question->buffer);
  return fd;
}

/* Begins with a channel, unless it has failed. The one for services has no netlink socket. */
static void begin(const struct question *question, int fd, int netlink, int result)
{
  struct channel *channel = NULL;
  for (size_t i = 0; i < MOST_CHANNELS && !channel; i++)
    if (channels[i].fd < 0) channel = &channels[i];
  struct epoll_event event = { .events = EPOLLIN, .data = { .ptr = channel } };
  if (!result && !channel) result = -EMFILE;
  if (!result && epoll_ctl(waiting, EPOLL_CTL_ADD, fd, &event)) result = -errno;
  (void)answer_with(fd, result, question->kind == OPEN && !result ? netlink : -1);
  if (!result) {
    channel->fd = fd;
    channel->netlink = netlink;
    channel->protocol = netlink < 0 ? -1 : option_of(netlink, SO_PROTOCOL);
    channel->silent = question->silent != 0;
    return;
  }
  close(fd);
  if (netlink >= 0) close(netlink);
}

/* Once, before anything of strangers is read: who takes the proxy over later changes them no more. */
static void limit(const struct netlink_limits *wanted)
{
  uint32_t table = wanted->table;
  if (limits.port) return;
  limits = *wanted;
  if (table == RT_TABLE_DEFAULT || table == RT_TABLE_MAIN || table == RT_TABLE_LOCAL) limits.table = 0;
}

/* Obeys the proxy: 0, or -1 at its end. */
static int obey(void)
{
  struct question question = { 0 };
  int fds[2];
  ssize_t length = take(PROXY, &question, sizeof question, fds);
  if (length == 0) return -1;
  if (length == (ssize_t)sizeof question && question.kind == LIMITS) limit(&question.limits);
  if (length != (ssize_t)sizeof question || fds[0] < 0 || question.kind < OPEN || question.kind > SERVICES ||
      (question.kind == ADOPT) != (fds[1] >= 0)) {
    close_both(fds);
    return 0;
  }
  int netlink = question.kind == OPEN ? open_netlink(&question) : fds[1], result = 0;
  if (question.kind == OPEN && netlink < 0) result = netlink;
  /* One that another has opened: the kernel asks who that was. */
  if (question.kind == ADOPT && (option_of(netlink, SO_DOMAIN) != AF_NETLINK || !is_protocol(option_of(netlink, SO_PROTOCOL))))
    result = -EPERM;
  begin(&question, fds[0], netlink, result);
  return 0;
}

/* Sends what may be sent: bytes, or -errno. */
static int send_checked(const struct channel *channel, const uint8_t *bytes, size_t size)
{
  if (!may_send(channel->protocol, bytes, size, &limits)) return -EPERM;
  ssize_t sent = send(channel->netlink, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0 || errno != EMSGSIZE) return sent < 0 ? -errno : (int)sent;
  /* A whole rule set is one datagram, and must fit the send buffer. */
  int room = (int)size + 4096;
  (void)setsockopt(channel->netlink, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  sent = send(channel->netlink, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? -errno : (int)sent;
}

/* A long one: into memory that is nobody else's, before it is looked at. */
static int send_long(const struct channel *channel, int fd, uint64_t size)
{
  struct stat status;
  if (fstat(fd, &status) || !S_ISREG(status.st_mode) || size > MOST_BYTES) return -EMSGSIZE;
  uint8_t *copy = malloc((size_t)size);
  if (!copy) return -ENOMEM;
  int result = pread(fd, copy, (size_t)size, 0) == (ssize_t)size ? send_checked(channel, copy, (size_t)size) : -EINVAL;
  free(copy);
  return result;
}

static int set_early_demux(uint32_t value)
{
  char text[2] = { (char)('0' + (value != 0)), '\n' };
  return pwrite(SYSCTL_FD, text, sizeof text, 0) < 0 ? -errno : 0;
}

/* Fulfils a wish. What wants an answer has it at *result. */
static int fulfil(const struct wish *wish, int fd, int *result)
{
  const int on = 1;
  switch (wish->kind) {
  case RECEIVE_BUFFER:
  case SEND_BUFFER:
    (void)force(fd, wish->kind == SEND_BUFFER ? SO_SNDBUFFORCE : SO_RCVBUFFORCE, wish->value);
    return 0;
  case SILENCE: /* its end tells the peer nothing */
    *result = setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) ? -errno : 0;
    return 1;
  case EARLY_DEMUX:
    *result = set_early_demux(wish->value);
    return 1;
  default:
    *result = -EPERM;
    return 1;
  }
}

static void serve_channel(struct channel *channel)
{
  static _Alignas(8) uint8_t bytes[DATAGRAM_SIZE];
  int fds[2], result = -EPERM, answers = !channel->silent;
  ssize_t length = take(channel->fd, bytes, sizeof bytes, fds);
  if (length == 0) {
    close_both(fds);
    close_channel(channel);
    return;
  }
  if (length < 0) return;
  if (channel->netlink < 0) {
    struct wish wish = { 0 };
    if (length == (ssize_t)sizeof wish) memcpy(&wish, bytes, sizeof wish);
    answers = fulfil(&wish, fds[0], &result);
  } else if (fds[0] >= 0) {
    uint64_t size = 0;
    if (length == (ssize_t)sizeof size) memcpy(&size, bytes, sizeof size);
    result = send_long(channel, fds[0], size);
  } else result = send_checked(channel, bytes, (size_t)length);
  close_both(fds);
  if (answers && send(channel->fd, &result, sizeof result, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) close_channel(channel);
}

static void serve(const void *subject)
{
  struct epoll_event events[16], proxy = { .events = EPOLLIN, .data = { .ptr = NULL } };
  (void)subject;
  for (size_t i = 0; i < MOST_CHANNELS; i++) channels[i].fd = -1;
  waiting = epoll_create1(EPOLL_CLOEXEC);
  if (waiting < 0 || epoll_ctl(waiting, EPOLL_CTL_ADD, PROXY, &proxy)) return;
  for (;;) {
    int count = epoll_wait(waiting, events, sizeof events / sizeof *events, -1);
    if (count < 0 && errno != EINTR) return;
    for (int i = 0; i < count; i++) {
      struct channel *channel = events[i].data.ptr;
      if (!channel && obey()) return; /* the proxy has ended */
      if (channel && channel->fd >= 0) serve_channel(channel);
    }
  }
}

int start_netlink_server(void)
{
  int sysctl = open(SYSCTL, O_RDWR | O_CLOEXEC);
  const struct child child = { "tproxy-netlink", 1u << CAP_NET_ADMIN, SERVER_CALLS, sysctl, serve, NULL };
  int socket = start_child(&child);
  if (sysctl >= 0) close(sysctl);
  return socket;
}
