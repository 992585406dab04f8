/* Streams that a seed says: each byte is compared, so that the first wrong one is found where it stands. */
#include "soak_load.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

const char WRONG_BYTES[] = "wrong bytes";

/* The finisher of SplitMix64. */
uint64_t mix(uint64_t value)
{
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

void fill(unsigned char *buffer, size_t size, uint64_t seed, uint64_t offset)
{
  for (size_t i = 0; i < size;) {
    uint64_t word = mix(seed + (offset + i) / 8);
    size_t skip = (offset + i) % 8, some = 8 - skip < size - i ? 8 - skip : size - i;
    memcpy(buffer + i, (unsigned char *)&word + skip, some);
    i += some;
  }
}

int is_right(const unsigned char *buffer, size_t size, uint64_t seed, uint64_t offset)
{
  unsigned char wanted[4096];
  for (size_t i = 0; i < size;) {
    size_t some = size - i < sizeof wanted ? size - i : sizeof wanted;
    fill(wanted, some, seed, offset + i);
    if (memcmp(buffer + i, wanted, some) != 0) return 0;
    i += some;
  }
  return 1;
}

const char *send_stream(int fd, uint64_t seed, uint64_t size)
{
  unsigned char buffer[CHUNK];
  for (uint64_t sent = 0; sent < size;) {
    size_t some = size - sent < sizeof buffer ? (size_t)(size - sent) : sizeof buffer;
    fill(buffer, some, seed, sent);
    ssize_t gone = send(fd, buffer, some, MSG_NOSIGNAL);
    if (gone < 0 && errno == EINTR) continue;
    if (gone < 0) return errno == EAGAIN ? "nothing is taken" : strerror(errno);
    sent += (uint64_t)gone;
  }
  atomic_fetch_add(&counts.bytes, size);
  return NULL;
}

const char *take_stream(int fd, uint64_t seed, uint64_t size, long pause_ms)
{
  unsigned char buffer[CHUNK];
  for (uint64_t taken = 0; taken < size;) {
    size_t some = size - taken < sizeof buffer ? (size_t)(size - taken) : sizeof buffer;
    ssize_t come = recv(fd, buffer, some, 0);
    if (come < 0 && errno == EINTR) continue;
    if (come < 0) return errno == EAGAIN ? "nothing comes" : strerror(errno);
    if (come == 0) return "the stream ended early";
    if (!is_right(buffer, (size_t)come, seed, taken)) return WRONG_BYTES;
    taken += (uint64_t)come;
    if (pause_ms > 0) sleep_ms(pause_ms);
  }
  atomic_fetch_add(&counts.bytes, size);
  return NULL;
}

const char *take_end(int fd)
{
  char byte;
  ssize_t come = recv(fd, &byte, 1, 0);
  if (come > 0) return WRONG_BYTES;
  if (come == 0) return NULL;
  return errno == EAGAIN ? "the end does not come" : strerror(errno);
}

const char *take_reset(int fd)
{
  char byte;
  ssize_t come = recv(fd, &byte, 1, 0);
  if (come > 0) return WRONG_BYTES;
  if (come == 0) return "an end in the place of a reset";
  if (errno == ECONNRESET) return NULL;
  return errno == EAGAIN ? "the reset does not come" : strerror(errno);
}
