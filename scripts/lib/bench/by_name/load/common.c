/* Sockets and clock. */
#include "tls_load.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void die(const char *what)
{
  perror(what);
  exit(1);
}

double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void add_to_epoll(int epoll, int fd, uint32_t number)
{
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

static int open_socket(int flags)
{
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), on = 1;
  if (fd < 0) die("socket");
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) die("TCP_NODELAY");
  return fd;
}

int begin_connection(const struct options *options)
{
  int fd = open_socket(SOCK_NONBLOCK);
  if (connect(fd, (const struct sockaddr *)&options->server, sizeof options->server) < 0 && errno != EINPROGRESS)
    die("connect");
  return fd;
}

int connect_to(const struct options *options)
{
  int fd = open_socket(0);
  struct timeval limit = {.tv_sec = 5};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0) die("SO_RCVTIMEO");
  if (connect(fd, (const struct sockaddr *)&options->server, sizeof options->server) == 0) return fd;
  close(fd);
  return -1;
}
