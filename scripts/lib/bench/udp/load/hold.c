/* Many sessions that stay open, each with one exchange. */
#include "udp_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define TRIES 3
/* One that has not been answered for so long makes room for another. */
#define SLOW 0.02

struct sessions {
  struct pinger *pingers;
  char *answered;
  float *times; /* microseconds */
  int epoll, answers;
};

/* Takes the answers that are there, or come within so many milliseconds. */
static void take(struct sessions *sessions, const struct options *options, int timeout_ms)
{
  struct epoll_event events[BATCH];
  int ready = epoll_wait(sessions->epoll, events, BATCH, timeout_ms);
  for (int i = 0; i < ready; i++) {
    uint32_t number = events[i].data.u32;
    double waited = response(&sessions->pingers[number], options);
    if (waited < 0 || sessions->answered[number]) continue;
    sessions->answered[number] = 1;
    sessions->times[sessions->answers++] = (float)(waited * 1e6);
  }
}

/* Asks on each socket that has had no answer, and waits for the last ones. */
static void ask(struct sessions *sessions, const struct options *options)
{
  int oldest = 0;
  for (int i = 0; i < options->flows; i++) {
    if (sessions->answered[i]) continue;
    for (;;) {
      while (oldest < i && (sessions->answered[oldest] || now() - sessions->pingers[oldest].sent_at > SLOW)) oldest++;
      if (i - oldest < options->burst) break;
      take(sessions, options, 1);
    }
    request(&sessions->pingers[i], options);
  }
  for (double end = now() + LOST_AFTER; sessions->answers < options->flows && now() < end;) take(sessions, options, 10);
}

int run_hold(const struct options *options)
{
  struct sessions sessions = {
    .pingers = calloc((size_t)options->flows, sizeof *sessions.pingers),
    .answered = calloc((size_t)options->flows, 1),
    .times = calloc((size_t)options->flows, sizeof *sessions.times),
    .epoll = epoll_create1(EPOLL_CLOEXEC),
  };
  if (sessions.pingers == NULL || sessions.answered == NULL || sessions.times == NULL || sessions.epoll < 0) die("hold");
  for (int i = 0; i < options->flows; i++) {
    sessions.pingers[i].fd = open_client(options, options->first == 0 ? 0 : options->first + i);
    add_to_epoll(sessions.epoll, sessions.pingers[i].fd, (uint32_t)i);
  }
  double start = now();
  for (int try = 0; try < TRIES && sessions.answers < options->flows; try++) ask(&sessions, options);
  double took = now() - start;
  int count = sessions.answers;
  sort_times(sessions.times, (size_t)count);
  printf("{\"sessions\":%d,\"seconds\":%.6f,\"median\":%.2f,\"p99\":%.2f}\n", count, took,
         count > 0 ? (double)sessions.times[count / 2] : 0, count > 0 ? (double)sessions.times[count * 99 / 100] : 0);
  fflush(stdout);
  wait_for_end();
  return 0;
}
