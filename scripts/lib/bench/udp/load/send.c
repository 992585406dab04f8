/* The sending end, on the client's side or the server's. */
#include "udp_load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

/* A paced sender wakes up so often: at 20,000/s five datagrams leave together. */
#define TICK 250e-6
#define HELLO_LIMIT_MS 5000

/* A batch of datagrams: headers of their own, one body. */
struct train {
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH][2];
  struct header headers[BATCH];
  char body[MAX_SIZE];
};

static struct train *make_train(const struct options *options)
{
  struct train *train = calloc(1, sizeof *train);
  if (train == NULL) die("calloc");
  for (int i = 0; i < BATCH; i++) {
    train->parts[i][0] = (struct iovec){&train->headers[i], sizeof(struct header)};
    train->parts[i][1] = (struct iovec){train->body, (size_t)options->size - sizeof(struct header)};
    train->messages[i].msg_hdr.msg_iov = train->parts[i];
    train->messages[i].msg_hdr.msg_iovlen = 2;
  }
  return train;
}

/* Gives how many were sent; 0 where the kernel had no room or told of an ICMP error. */
static int send_some(struct train *train, int fd, uint32_t flow, uint64_t sequence, int count)
{
  for (int i = 0; i < count; i++) train->headers[i] = (struct header){DATA, flow, sequence + (uint64_t)i};
  int sent = sendmmsg(fd, train->messages, (unsigned)count, 0);
  if (sent >= 0) return sent;
  if (errno != EINTR && errno != ENOBUFS && errno != ECONNREFUSED) die("sendmmsg");
  return 0;
}

static void sleep_until(double moment)
{
  struct timespec time = {(time_t)moment, (long)((moment - (double)(time_t)moment) * 1e9)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static int blast(const struct options *options, const int *fds)
{
  struct train *train = make_train(options);
  uint64_t *next = calloc((size_t)options->flows, sizeof *next), sent = 0;
  if (next == NULL) die("calloc");
  double start = now(), time = start;
  for (int turn = 0; time - start < options->seconds; time = now()) {
    int count = options->burst;
    if (options->rate > 0) {
      double due = (time - start) * options->rate - (double)sent;
      if (due < 1) {
        sleep_until(time + TICK);
        continue;
      }
      if (due < count) count = (int)due;
    }
    int gone = send_some(train, fds[turn], (uint32_t)turn, next[turn], count);
    next[turn] += (uint64_t)gone;
    sent += (uint64_t)gone;
    turn = (turn + 1) % options->flows;
  }
  printf("{\"sent\":%lu,\"seconds\":%.6f}\n", sent, time - start);
  return 0;
}

int run_send(const struct options *options)
{
  int *fds = calloc((size_t)options->flows, sizeof *fds);
  for (int i = 0; i < options->flows; i++) fds[i] = open_client(options, 0);
  return blast(options, fds);
}

/* A socket of the server for the client that said hello. */
static int open_for(const struct options *options, const struct sockaddr_in *client)
{
  int fd = open_server(options);
  if (connect(fd, (const struct sockaddr *)client, sizeof *client) < 0) die("connect");
  return fd;
}

int run_source(const struct options *options)
{
  int fd = open_server(options), greeted = 0;
  int *fds = calloc((size_t)options->flows, sizeof *fds);
  while (greeted < options->flows) {
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    if (poll(&wanted, 1, HELLO_LIMIT_MS) <= 0) {
      fprintf(stderr, "only %d of %d clients said hello\n", greeted, options->flows);
      return 1;
    }
    struct header header;
    struct sockaddr_in client;
    socklen_t length = sizeof client;
    ssize_t size = recvfrom(fd, &header, sizeof header, 0, (struct sockaddr *)&client, &length);
    if (size != sizeof header || header.kind != HELLO || header.flow >= (uint32_t)options->flows) continue;
    if (fds[header.flow] != 0) continue; /* again: the first one was slow to bring an answer */
    fds[header.flow] = open_for(options, &client);
    greeted++;
  }
  return blast(options, fds);
}
