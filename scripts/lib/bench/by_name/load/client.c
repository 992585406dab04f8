/* The client. */
#include "tls_load.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 128

static unsigned char memory[BULK_BYTES];

static struct {
  int fd;
  size_t got; /* bytes of the answer that is awaited */
} flows[MAX_FLOWS];
static unsigned long failures;

static void begin_flow(const struct options *options, int epoll, uint32_t number)
{
  struct epoll_event event = {.events = EPOLLOUT, .data.u32 = number};
  flows[number].fd = begin_connection(options);
  flows[number].got = 0;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, flows[number].fd, &event) < 0) die("epoll_ctl");
}

static void say_hello(const struct options *options, int epoll, uint32_t number)
{
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
  if (send(flows[number].fd, options->hello, options->hello_size, MSG_NOSIGNAL) < 0) failures++;
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, flows[number].fd, &event) < 0) die("epoll_ctl");
}

/* What has come: 1, the whole answer; 0, a part; -1, the connection has ended. */
static int take(uint32_t number, size_t whole)
{
  ssize_t size = recv(flows[number].fd, memory, sizeof memory, 0);
  if (size < 0 && errno == EAGAIN) return 0;
  if (size <= 0) {
    fprintf(stderr, "connection %u: %s after %zu bytes\n", number, size < 0 ? strerror(errno) : "end", flows[number].got);
    return -1;
  }
  flows[number].got += (size_t)size;
  if (flows[number].got < whole) return 0;
  flows[number].got -= whole;
  return 1;
}

static void report(unsigned long count, double seconds)
{
  printf("{\"count\":%lu,\"failures\":%lu,\"seconds\":%.6f}\n", count, failures, seconds);
}

int run_connections(const struct options *options)
{
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  unsigned long count = 0;
  double begin = now(), end = begin + options->seconds;
  for (uint32_t i = 0; i < (uint32_t)options->flows; i++) begin_flow(options, epoll, i);
  while (now() < end) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, 100);
    for (int i = 0; i < ready; i++) {
      uint32_t number = events[i].data.u32;
      if (events[i].events == EPOLLOUT) {
        say_hello(options, epoll, number);
        continue;
      }
      int taken = take(number, ANSWER_BYTES);
      if (taken == 0) continue;
      if (taken > 0) count++;
      else failures++;
      close(flows[number].fd);
      begin_flow(options, epoll, number);
    }
  }
  report(count, now() - begin);
  return 0;
}

/* A connection whose hello has been answered; -1: none. */
static int open_flow(const struct options *options)
{
  int fd = connect_to(options);
  if (fd < 0) return -1;
  size_t got = 0;
  ssize_t size = send(fd, options->hello, options->hello_size, MSG_NOSIGNAL);
  for (; size > 0 && got < ANSWER_BYTES; got += (size_t)size) {
    size = recv(fd, memory, ANSWER_BYTES - got, 0);
    if (size < 0) size = 0;
  }
  if (got == ANSWER_BYTES) return fd;
  close(fd);
  return -1;
}

static int open_flow_or_die(const struct options *options)
{
  int fd = open_flow(options);
  if (fd < 0) die("no answer");
  return fd;
}

int run_ask(const struct options *options)
{
  int fd = open_flow(options);
  printf("{\"answered\":%s}\n", fd < 0 ? "false" : "true");
  return 0;
}

static void wish(int fd, enum wish wish, size_t size)
{
  memory[0] = (unsigned char)wish;
  if (send(fd, memory, size, MSG_NOSIGNAL) != (ssize_t)size) die("send");
}

int run_requests(const struct options *options)
{
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  unsigned long count = 0;
  for (uint32_t i = 0; i < (uint32_t)options->flows; i++) {
    flows[i].fd = open_flow_or_die(options);
    add_to_epoll(epoll, flows[i].fd, i);
  }
  double begin = now(), end = begin + options->seconds;
  for (uint32_t i = 0; i < (uint32_t)options->flows; i++) wish(flows[i].fd, WISH_RESPONSE, REQUEST_BYTES);
  while (now() < end) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, 100);
    for (int i = 0; i < ready; i++) {
      uint32_t number = events[i].data.u32;
      int taken = take(number, RESPONSE_BYTES);
      if (taken < 0) die("recv");
      if (taken == 0) continue;
      count++;
      wish(flows[number].fd, WISH_RESPONSE, REQUEST_BYTES);
    }
  }
  report(count, now() - begin);
  return 0;
}

/* Bulk: the count is that of bytes. */
static int run_bulk(const struct options *options, enum wish direction)
{
  int fd = open_flow_or_die(options);
  unsigned long count = 0;
  wish(fd, direction, 1);
  if (direction == WISH_UPLOAD) usleep(10000); /* so that the wish comes alone */
  double begin = now(), end = begin + options->seconds;
  while (now() < end) {
    ssize_t size = direction == WISH_UPLOAD ? send(fd, memory, sizeof memory, MSG_NOSIGNAL)
                                            : recv(fd, memory, sizeof memory, MSG_TRUNC);
    if (size <= 0) die("bulk");
    count += (unsigned long)size;
  }
  report(count, now() - begin);
  return 0;
}

int run_upload(const struct options *options)
{
  return run_bulk(options, WISH_UPLOAD);
}

int run_download(const struct options *options)
{
  return run_bulk(options, WISH_DOWNLOAD);
}
