/* Duration of exchanges, with one request at a time from each socket. */
#include "udp_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Late answers still find their sockets: an ICMP error from a closed one breaks v2ray's session, and the next
 * client that gets the port would find it so. */
static void await_rest(struct pinger *pingers, const struct options *options)
{
  double end = now() + LOST_AFTER;
  for (int i = 0; i < options->flows; i++) {
    while (now() < end && response(&pingers[i], options) < 0) usleep(500);
  }
}

int run_ping(const struct options *options)
{
  size_t capacity = (size_t)(options->seconds * 1e6) + 1, count = 0;
  unsigned long lost = 0;
  float *times = malloc(capacity * sizeof *times); /* microseconds */
  struct pinger *pingers = calloc((size_t)options->flows, sizeof *pingers);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (times == NULL || pingers == NULL || epoll < 0) die("ping");
  double start = now(), time = start, checked = start;
  for (int i = 0; i < options->flows; i++) {
    pingers[i].fd = open_client(options, 0);
    add_to_epoll(epoll, pingers[i].fd, (uint32_t)i);
    request(&pingers[i], options);
  }
  for (; time - start < options->seconds; time = now()) {
    struct epoll_event events[BATCH];
    int ready = epoll_wait(epoll, events, BATCH, (int)(LOST_AFTER * 1e3));
    for (int i = 0; i < ready; i++) {
      struct pinger *pinger = &pingers[events[i].data.u32];
      double waited = response(pinger, options);
      if (waited < 0) continue;
      if (count < capacity) times[count++] = (float)(waited * 1e6);
      request(pinger, options);
    }
    if (time - checked < LOST_AFTER) continue;
    checked = time;
    for (int i = 0; i < options->flows; i++) {
      if (time - pingers[i].sent_at < LOST_AFTER) continue;
      lost++;
      request(&pingers[i], options);
    }
  }
  double took = time - start;
  await_rest(pingers, options);
  sort_times(times, count);
  printf("{\"exchanges\":%zu,\"lost\":%lu,\"seconds\":%.6f,\"median\":%.2f,\"p99\":%.2f}\n", count, lost, took,
         count > 0 ? (double)times[count / 2] : 0, count > 0 ? (double)times[count * 99 / 100] : 0);
  return 0;
}
