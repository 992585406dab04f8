/* The receiving end, on the server's side or the client's. */
#include "udp_load.h"

#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT 0xffffffffu /* standard input, among the sockets' numbers */
#define HELLO_AGAIN_MS 50

/* Only the headers are copied out of the kernel; MSG_TRUNC tells the whole length. */
struct batch {
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  struct header headers[BATCH];
};

static struct batch *make_batch(void)
{
  struct batch *batch = calloc(1, sizeof *batch);
  if (batch == NULL) die("calloc");
  for (int i = 0; i < BATCH; i++) {
    batch->parts[i] = (struct iovec){&batch->headers[i], sizeof(struct header)};
    batch->messages[i].msg_hdr.msg_iov = &batch->parts[i];
    batch->messages[i].msg_hdr.msg_iovlen = 1;
  }
  return batch;
}

/* Takes what is there. */
static void take(struct batch *batch, int fd, struct tally *tally, const struct options *options)
{
  int count;
  do {
    count = recvmmsg(fd, batch->messages, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
    if (count <= 0) return;
    tally->last = now();
    if (tally->received == 0) tally->first = tally->last;
    for (int i = 0; i < count; i++) {
      if (batch->messages[i].msg_len != (unsigned)options->size) tally->malformed++;
      else tally_add(tally, &batch->headers[i], options->flows);
    }
  } while (count == BATCH);
}

/* Datagrams that the kernel dropped because the socket's queue was full: lost at this end, not in the router.
 */
static uint64_t dropped(int fd)
{
  uint32_t memory[SK_MEMINFO_VARS];
  socklen_t length = sizeof memory;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length) < 0) die("SO_MEMINFO");
  return memory[SK_MEMINFO_DROPS];
}

static int report(const struct tally *tally, const int *fds, int count)
{
  uint64_t drops = 0;
  for (int i = 0; i < count; i++) drops += dropped(fds[i]);
  printf("{\"received\":%lu,\"duplicates\":%lu,\"reordered\":%lu,\"malformed\":%lu,\"dropped\":%lu,\"seconds\":%.6f}\n",
         tally->received, tally->duplicates, tally->reordered, tally->malformed, drops, tally->last - tally->first);
  return 0;
}

static void greet(const int *fds, const char *heard, int count)
{
  for (int i = 0; i < count; i++) {
    struct header hello = {HELLO, (uint32_t)i, 0};
    if (!heard[i]) send(fds[i], &hello, sizeof hello, 0); /* an error is answered by the next hello */
  }
}

static int count_until_end(const struct options *options, const int *fds, int count, int says_hello)
{
  struct batch *batch = make_batch();
  struct tally tally;
  tally_begin(&tally, options->flows);
  int epoll = epoll_create1(EPOLL_CLOEXEC), silent = says_hello ? count : 0;
  char *heard = calloc((size_t)count, 1);
  add_to_epoll(epoll, 0, INPUT);
  for (int i = 0; i < count; i++) add_to_epoll(epoll, fds[i], (uint32_t)i);
  double greeted = 0;
  for (int ended = 0; !ended;) {
    if (silent > 0 && now() - greeted > HELLO_AGAIN_MS / 1e3) {
      greet(fds, heard, count);
      greeted = now();
    }
    struct epoll_event events[BATCH];
    int ready = epoll_wait(epoll, events, BATCH, silent > 0 ? HELLO_AGAIN_MS : -1);
    for (int i = 0; i < ready; i++) {
      uint32_t number = events[i].data.u32;
      if (number == INPUT) {
        ended = 1;
        continue;
      }
      take(batch, fds[number], &tally, options);
      if (says_hello && !heard[number]) {
        heard[number] = 1;
        silent--;
      }
    }
  }
  for (int i = 0; i < count; i++) take(batch, fds[i], &tally, options);
  return report(&tally, fds, count);
}

int run_sink(const struct options *options)
{
  int fd = open_server(options);
  return count_until_end(options, &fd, 1, 0);
}

int run_pull(const struct options *options)
{
  int *fds = calloc((size_t)options->flows, sizeof *fds);
  for (int i = 0; i < options->flows; i++) fds[i] = open_client(options, 0);
  return count_until_end(options, fds, options->flows, 1);
}
