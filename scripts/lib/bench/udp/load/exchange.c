/* One datagram for another: the client's side. */
#include "udp_load.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

void request(struct pinger *pinger, const struct options *options)
{
  static _Alignas(struct header) char data[MAX_SIZE];
  *(struct header *)data = (struct header){DATA, 0, ++pinger->sequence};
  pinger->sent_at = now();
  if (send(pinger->fd, data, (size_t)options->size, 0) < 0 && errno != ECONNREFUSED) die("send");
}

double response(struct pinger *pinger, const struct options *options)
{
  struct header header;
  ssize_t size = recv(pinger->fd, &header, sizeof header, MSG_DONTWAIT | MSG_TRUNC);
  if (size != options->size || header.sequence != pinger->sequence) return -1;
  return now() - pinger->sent_at;
}

static int compare(const void *a, const void *b)
{
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

void sort_times(float *times, size_t count)
{
  qsort(times, count, sizeof *times, compare);
}
