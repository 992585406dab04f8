/* Transfers of all kinds, each byte of which is compared with the one that it must be.
 *   transfers serve ADDRESS PORT       until its input ends
 *   transfers run ADDRESS PORT COUNT AT_ONCE SECONDS
 *                                      so many, at most so many at once; long ones take up to so many seconds
 * Prints what it has counted. A transfer is done when both ends have all, in order, and the end of it behind
 * that. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define MOST_ENDS 65536
#define BATCH 256
#define TICK_MS 5
#define PATIENCE_MS 60000
#define LAST_MS 5000
#define RATE 300 /* new ones per second */
#define BURST 8
#define PIECE 65536

enum kind { SMALL, LARGE, HALF_CLOSED, SLOW_DOWN, SLOW_UP, IDLE, SERVER_FIRST, TRICKLE, KINDS };
enum start { AT_ONCE, AFTER_END, AFTER_ALL };
static const char *const NAMES[KINDS] = { "small", "large", "half-closed", "slow-down", "slow-up", "idle", "server-first", "trickle" };
static const int SHARES[KINDS] = { 38, 8, 12, 10, 10, 12, 5, 5 };

struct head {
  uint32_t kind, pause, up, down;
  uint64_t seed;
};

struct end {
  int fd, kind, server, ended, shut, watched, connecting;
  struct head head;
  size_t head_left, to_send, sent, to_receive, received;
  uint64_t seed_out, seed_in;
  enum start start;
  size_t pause_at, read_piece, write_piece;
  double pause_ms, read_every, write_every, next_read, next_write, resumed, heard;
};

static struct end *ends[MOST_ENDS];
static int epoll;
static long done, failed;
static double bytes;

static uint64_t mix(uint64_t x)
{
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/* The bytes of a stream from an offset on. */
static void fill(uint8_t *out, size_t length, uint64_t seed, size_t offset)
{
  for (size_t i = 0; i < length;) {
    uint64_t word = mix(seed + (offset + i) / 8 * 0x9e3779b97f4a7c15ULL);
    size_t in = (offset + i) % 8, size = 8 - in < length - i ? 8 - in : length - i;
    memcpy(out + i, (uint8_t *)&word + in, size);
    i += size;
  }
}

static void plan(struct end *end)
{
  const struct head *head = &end->head;
  double pause = head->pause;
  int server = end->server;
  end->kind = (int)head->kind;
  end->to_send = server ? head->down : head->up;
  end->to_receive = server ? head->up : head->down;
  end->seed_out = head->seed + (uint64_t)server;
  end->seed_in = head->seed + (uint64_t)!server;
  end->pause_at = SIZE_MAX;
  end->read_piece = end->write_piece = PIECE;
  switch (head->kind) {
  case SMALL:
    if (server) end->start = AFTER_ALL;
    break;
  case HALF_CLOSED:
    if (server) end->start = AFTER_END, end->pause_at = 0, end->pause_ms = pause;
    break;
  case SERVER_FIRST:
    if (!server) end->start = AFTER_END, end->pause_at = 0, end->pause_ms = pause;
    break;
  case SLOW_DOWN:
  case SLOW_UP:
    if (server == (head->kind == SLOW_UP)) end->read_piece = end->to_receive / 20 + 1, end->read_every = pause / 20;
    break;
  case IDLE:
    if (!server) end->pause_at = end->to_send / 2, end->pause_ms = pause;
    else end->start = AT_ONCE, end->pause_at = end->to_send / 2, end->pause_ms = pause / 2;
    break;
  case TRICKLE:
    end->write_piece = 100 + head->seed % 1300, end->write_every = pause / (double)(end->to_send / end->write_piece + 1);
    break;
  }
}

static void finish(struct end *end, const char *why)
{
  if (why == NULL) done++;
  else {
    failed++;
    fprintf(stderr, "%s, %s: %s; sent %zu of %zu, received %zu of %zu, %.1f s after it was heard\n", end->server ? "server" : "client",
            NAMES[end->kind], why, end->sent, end->to_send, end->received, end->to_receive, (now_ms() - end->heard) / 1000);
  }
  bytes += (double)end->received;
  ends[end->fd] = NULL;
  close(end->fd);
  free(end);
}

static int may_send(const struct end *end, double now)
{
  if (end->shut || end->connecting || (end->server && end->head_left > 0)) return 0;
  if (end->head_left > 0) return 1;
  if (end->start == AFTER_END && !end->ended) return 0;
  if (end->start == AFTER_ALL && end->received < end->to_receive) return 0;
  if (end->sent >= end->pause_at && (end->resumed == 0 || now < end->resumed)) return 0;
  return now >= end->next_write;
}

static int may_receive(const struct end *end, double now)
{
  return !end->ended && !end->connecting && now >= end->next_read;
}

static void watch(struct end *end, double now)
{
  uint32_t events = (may_receive(end, now) ? EPOLLIN : 0u) | (end->connecting || may_send(end, now) ? EPOLLOUT : 0u);
  if (end->watched == (int)events) return;
  struct epoll_event event = { .events = events, .data.fd = end->fd };
  if (epoll_ctl(epoll, end->watched < 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, end->fd, &event)) die("epoll_ctl");
  end->watched = (int)events;
}

/* Returns why it has failed; NULL: it has not. */
static const char *send_some(struct end *end, double now)
{
  static uint8_t out[PIECE];
  for (int i = 0; i < 4 && may_send(end, now); i++) {
    if (!end->server && end->head_left > 0) {
      ssize_t length = send(end->fd, (uint8_t *)&end->head + sizeof end->head - end->head_left, end->head_left, MSG_NOSIGNAL);
      if (length < 0) return errno == EAGAIN ? NULL : strerror(errno);
      end->head_left -= (size_t)length;
      continue;
    }
    size_t size = end->to_send - end->sent;
    if (end->sent < end->pause_at && size > end->pause_at - end->sent) size = end->pause_at - end->sent;
    if (size > end->write_piece) size = end->write_piece;
    if (size > 0) {
      fill(out, size, end->seed_out, end->sent);
      ssize_t length = send(end->fd, out, size, MSG_NOSIGNAL);
      if (length < 0) return errno == EAGAIN ? NULL : strerror(errno);
      end->sent += (size_t)length;
      end->heard = now;
      if (end->write_every > 0) end->next_write = now + end->write_every;
    }
    if (end->sent == end->to_send && (end->sent < end->pause_at || (end->resumed > 0 && now >= end->resumed))) {
      if (shutdown(end->fd, SHUT_WR)) return strerror(errno);
      end->shut = 1;
    }
  }
  return NULL;
}

static const char *receive_some(struct end *end, double now)
{
  static uint8_t in[PIECE], wanted[PIECE];
  for (int i = 0; i < 4 && may_receive(end, now); i++) {
    if (end->server && end->head_left > 0) {
      ssize_t length = recv(end->fd, (uint8_t *)&end->head + sizeof end->head - end->head_left, end->head_left, 0);
      if (length == 0) return "no head";
      if (length < 0) return errno == EAGAIN ? NULL : strerror(errno);
      end->head_left -= (size_t)length;
      if (end->head_left == 0) plan(end);
      continue;
    }
    ssize_t length = recv(end->fd, in, end->read_piece < PIECE ? end->read_piece : PIECE, 0);
    if (length < 0) return errno == EAGAIN ? NULL : strerror(errno);
    end->heard = now;
    if (end->read_every > 0) end->next_read = now + end->read_every;
    if (length == 0) {
      end->ended = 1;
      if (end->received != end->to_receive) return "its end has come too early";
    } else {
      if (end->received + (size_t)length > end->to_receive) return "more has come than was sent";
      fill(wanted, (size_t)length, end->seed_in, end->received);
      if (memcmp(in, wanted, (size_t)length)) return "other bytes have come";
      end->received += (size_t)length;
    }
  }
  return NULL;
}

static void act(struct end *end, double now)
{
  if (end->resumed == 0 && end->sent >= end->pause_at && (end->start != AFTER_END || end->ended)) end->resumed = now + end->pause_ms;
  const char *why = receive_some(end, now);
  if (why == NULL) why = send_some(end, now);
  if (why == NULL && now - end->heard > PATIENCE_MS) why = "nothing happens any more";
  if (why != NULL || (end->ended && end->shut)) finish(end, why);
  else watch(end, now);
}

static struct end *begin(int fd, int server, double now)
{
  struct end *end = calloc(1, sizeof *end);
  if (end == NULL || fd >= MOST_ENDS) die("calloc");
  end->fd = fd;
  end->server = server;
  end->watched = -1;
  end->head_left = sizeof end->head;
  end->heard = now;
  return ends[fd] = end;
}

static void dial(const struct sockaddr_in *address, uint64_t number, double longest)
{
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), share = (int)(mix(number) % 100);
  double now = now_ms();
  if (fd < 0) die("socket");
  struct end *end = begin(fd, 0, now);
  struct head *head = &end->head;
  while (share >= SHARES[head->kind]) share -= SHARES[head->kind++];
  head->seed = mix(number + 1000003);
  head->pause = (uint32_t)(longest * 100 + (double)(mix(head->seed) % 1000) * longest * 0.9);
  uint32_t size = head->kind == SMALL ? 600 : head->kind == LARGE ? 2000000 : head->kind == IDLE || head->kind == TRICKLE ? 20000 : 800000;
  head->up = 1 + (uint32_t)(mix(head->seed + 1) % size);
  head->down = 1 + (uint32_t)(mix(head->seed + 2) % size);
  plan(end);
  if (connect(fd, (const struct sockaddr *)address, sizeof *address) && errno != EINPROGRESS) return finish(end, strerror(errno));
  end->connecting = 1;
  watch(end, now);
}

static void turn(int listener)
{
  struct epoll_event events[BATCH];
  static double ticked;
  int count = epoll_wait(epoll, events, BATCH, TICK_MS);
  double now = now_ms();
  for (int i = 0; i < count; i++) {
    int fd = events[i].data.fd;
    if (fd == listener) {
      int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      if (client >= 0) watch(begin(client, 1, now), now);
    } else if (ends[fd] != NULL) {
      int error = 0;
      socklen_t size = sizeof error;
      if (ends[fd]->connecting) getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
      ends[fd]->connecting = 0;
      if (error) finish(ends[fd], strerror(error));
      else act(ends[fd], now);
    }
  }
  if (now - ticked < TICK_MS) return;
  ticked = now;
  for (int fd = 0; fd < MOST_ENDS; fd++)
    if (ends[fd] != NULL && !ends[fd]->connecting) act(ends[fd], now);
}

static int left(void)
{
  int count = 0;
  for (int fd = 0; fd < MOST_ENDS; fd++) count += ends[fd] != NULL;
  return count;
}

static void report(void)
{
  printf("{\"done\":%ld,\"failed\":%ld,\"bytes\":%.0f}\n", done, failed, bytes);
}

int main(int argc, char **argv)
{
  take_all_descriptors();
  if (argc < 4) return 2;
  struct sockaddr_in address = address_of(argv[2], argv[3]);
  epoll = epoll_create1(0);
  if (!strcmp(argv[1], "serve")) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) die("listen");
    struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event)) die("epoll_ctl");
    while (!input_has_ended()) turn(listener);
    for (double end = now_ms() + LAST_MS; left() && now_ms() < end;) turn(listener);
    for (int fd = 0; fd < MOST_ENDS; fd++)
      if (ends[fd] != NULL) finish(ends[fd], "it has not ended");
  } else if (!strcmp(argv[1], "run") && argc == 7) {
    long count = atol(argv[4]), at_once = atol(argv[5]), begun = 0;
    double longest = atof(argv[6]), start = now_ms();
    while (done + failed < count) {
      long due = (long)((now_ms() - start) * RATE / 1000);
      if (due > begun + BURST) due = begun + BURST; /* it was not let run */
      while (begun < count && begun < due && begun - done - failed < at_once) dial(&address, (uint64_t)begun++, longest);
      turn(-1);
    }
  } else return 2;
  report();
  return 0;
}
