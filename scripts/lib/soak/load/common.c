/* Clock, sockets, lines of output. */
#include "soak_load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES (256 << 10)

struct counts counts;
atomic_int ending;

void die(const char *what)
{
  perror(what);
  exit(1);
}

uint64_t milliseconds(void)
{
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

void sleep_ms(long ms)
{
  struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  nanosleep(&time, NULL);
}

void be_patient(int fd)
{
  struct timeval limit = {.tv_sec = PATIENCE_SECONDS};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0) die("SO_RCVTIMEO");
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0) die("SO_SNDTIMEO");
}

void reset(int fd)
{
  struct linger linger = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  close(fd);
}

static void tell(char letter, const struct end *end, const char *why)
{
  printf("%c %llu %llu %s %d:%d %llx %s\n", letter, (unsigned long long)end->begin,
         (unsigned long long)milliseconds(), end->what, end->port, end->peer, (unsigned long long)end->id, why);
}

void tell_failure(const struct end *end, const char *why)
{
  int is_wrong = why == WRONG_BYTES;
  atomic_fetch_add(is_wrong ? &counts.wrong : &counts.failed, 1);
  tell(is_wrong ? 'W' : 'F', end, why);
}

void tell_move(const struct end *end, const char *how)
{
  tell('M', end, how);
}

int port_of(int fd, int is_own)
{
  struct sockaddr_in6 address = {0};
  socklen_t size = sizeof address;
  if (is_own) getsockname(fd, (struct sockaddr *)&address, &size);
  else getpeername(fd, (struct sockaddr *)&address, &size);
  return ntohs(address.sin6_port); /* at the same place in both families */
}

void start_thread(void *(*run)(void *), void *argument)
{
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  if (pthread_create(&thread, &attributes, run, argument) != 0) die("pthread_create");
  pthread_attr_destroy(&attributes);
}
