/* Servers that speak first: how long a client waits for the first byte. */
#include "tls_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int compare(const void *a, const void *b)
{
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

int run_greetings(const struct options *options)
{
  static double times[MAX_FLOWS];
  double end = now() + options->seconds;
  int count = 0;
  for (double begin; count < options->flows && (begin = now()) < end;) {
    char words[64];
    int fd = connect_to(options);
    if (fd < 0 || recv(fd, words, sizeof words, 0) <= 0) die("no greeting");
    times[count++] = now() - begin;
    close(fd);
    usleep(1000);
  }
  qsort(times, (size_t)count, sizeof *times, compare);
  printf("{\"median\":%.6f,\"p99\":%.6f}\n", times[count / 2], times[count * 99 / 100]);
  return 0;
}
