/* Many sessions that stay open, each with one exchange. */
#include "udp_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define TRIES 3
/* Requests on their way at once. One that has not been answered for so long makes room for another. */
#define WINDOW 16
#define SLOW 0.02

struct sessions {
  struct pinger *pingers;
  char *answered;
  int epoll, answers;
};

/* Takes the answers that are there, or come within so many milliseconds. */
static void take(struct sessions *sessions, const struct options *options, int timeout_ms)
{
  struct epoll_event events[BATCH];
  int ready = epoll_wait(sessions->epoll, events, BATCH, timeout_ms);
  for (int i = 0; i < ready; i++) {
    uint32_t number = events[i].data.u32;
    if (response(&sessions->pingers[number], options) < 0 || sessions->answered[number]) continue;
    sessions->answered[number] = 1;
    sessions->answers++;
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
      if (i - oldest < WINDOW) break;
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
    .epoll = epoll_create1(EPOLL_CLOEXEC),
  };
  if (sessions.pingers == NULL || sessions.answered == NULL || sessions.epoll < 0) die("hold");
  double start = now();
  for (int i = 0; i < options->flows; i++) {
    sessions.pingers[i].fd = open_client(options);
    add_to_epoll(sessions.epoll, sessions.pingers[i].fd, (uint32_t)i);
  }
  for (int try = 0; try < TRIES && sessions.answers < options->flows; try++) ask(&sessions, options);
  printf("{\"sessions\":%d,\"seconds\":%.6f}\n", sessions.answers, now() - start);
  fflush(stdout);
  wait_for_end();
  return 0;
}
