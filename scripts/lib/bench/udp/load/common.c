/* Sockets and clock. */
#include "udp_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Large, so that the ends lose nothing while the router has the processors. */
#define QUEUE_BYTES (16 << 20)

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

static int open_socket(void)
{
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), queue = QUEUE_BYTES;
  if (fd < 0) die("socket");
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof queue) < 0 && /* as root */
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue) < 0)
    die("SO_RCVBUF");
  return fd;
}

int open_server(const struct options *options)
{
  int fd = open_socket(), on = 1;
  /* One for each client, in the role of the source. Clients without it, or the kernel gives two of them one
   * port. */
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) die("SO_REUSEADDR");
  if (bind(fd, (const struct sockaddr *)&options->server, sizeof options->server) < 0) die("bind");
  return fd;
}

int open_client(const struct options *options, int port)
{
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int fd = open_socket();
  if (port != 0 && bind(fd, (const struct sockaddr *)&own, sizeof own) < 0) die("bind");
  if (connect(fd, (const struct sockaddr *)&options->server, sizeof options->server) < 0) die("connect");
  return fd;
}

void add_to_epoll(int epoll, int fd, uint32_t number)
{
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

void wait_for_end(void)
{
  char rest[64];
  while (read(0, rest, sizeof rest) > 0) continue;
}
