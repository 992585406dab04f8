/* Datagrams: a socket asks some times, and each answer must be that to its question. */
#include "soak_load.h"
#include "ports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define LARGEST 4000
/* Of a watched flow's: what is held and does not fit into a packet is not sent on. */
#define LARGEST_WATCHED 1400
#define TRIES 5
#define TRY_MS 1000
#define MOST_EXCHANGES 60
#define PAUSE_MS 40

/* Each socket's part that no answer may be mistaken for. */
struct header {
  uint64_t seed;
  uint32_t size;
};

/* Ports, and whether datagrams are refused there. */
static const struct {
  int port, refused;
} TARGETS[] = {
  {DIRECT_PORT, 0}, {DIRECT_PORT, 0}, {UPSTREAM_PORT, 0}, {WATCHED_PORT, 0}, {CLOSED_PORT, 1},
};
#define TARGET_COUNT (sizeof TARGETS / sizeof *TARGETS)

static const struct options *world;

static ssize_t write_datagram(unsigned char *data, uint64_t seed, uint32_t size)
{
  memcpy(data, &(struct header){seed, size}, sizeof(struct header));
  fill(data + sizeof(struct header), size, seed, 0);
  return (ssize_t)(sizeof(struct header) + size);
}

static int reads_right(const unsigned char *data, ssize_t length, struct header *header)
{
  if (length < (ssize_t)sizeof *header) return 0;
  memcpy(header, data, sizeof *header);
  return length == (ssize_t)(sizeof *header + header->size) &&
         is_right(data + sizeof *header, header->size, header->seed, 0);
}

/* Answers with another size, and with bytes of its own. */
static void *run_echo(void *argument)
{
  int port = (int)(intptr_t)argument, fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), queue = 4 << 20;
  struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  unsigned char data[LARGEST + sizeof(struct header) + 1];
  if (fd < 0) die("socket");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof queue);
  if (bind(fd, (const struct sockaddr *)&own, sizeof own) < 0) die("bind");
  for (;;) {
    struct sockaddr_in6 client;
    socklen_t size = sizeof client;
    struct header header;
    ssize_t length = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&client, &size);
    if (length < 0) continue;
    if (!reads_right(data, length, &header)) {
      tell_failure('W', milliseconds(), "udp-server", port, ntohs(client.sin6_port), WRONG_BYTES);
      continue;
    }
    length = write_datagram(data, header.seed + 1, (uint32_t)(mix(header.seed) % LARGEST));
    sendto(fd, data, (size_t)length, 0, (struct sockaddr *)&client, size);
  }
}

void run_udp_server(const struct options *options)
{
  (void)options;
  start_thread(run_echo, (void *)(intptr_t)DIRECT_PORT);
  start_thread(run_echo, (void *)(intptr_t)UPSTREAM_PORT);
  start_thread(run_echo, (void *)(intptr_t)WATCHED_PORT);
}

/* One question and its answer. As a resolver does, it asks again where none comes. */
static const char *exchange(int fd, uint64_t seed, int port, int refused)
{
  uint64_t largest = port == WATCHED_PORT ? LARGEST_WATCHED : LARGEST;
  unsigned char data[LARGEST + sizeof(struct header) + 1];
  for (int i = 0; i < TRIES; i++) {
    ssize_t length = write_datagram(data, seed, (uint32_t)(mix(seed + 2) % largest));
    if (i > 0) atomic_fetch_add(&counts.repeated, 1);
    if (send(fd, data, (size_t)length, 0) < 0) {
      if (errno == ECONNREFUSED && refused) return NULL;
      return strerror(errno);
    }
    for (uint64_t end = milliseconds() + TRY_MS; milliseconds() < end;) {
      struct header header;
      length = recv(fd, data, sizeof data, 0);
      if (length < 0 && errno == ECONNREFUSED && refused) return NULL;
      if (length < 0 && errno != EAGAIN) return strerror(errno);
      if (length < 0) break;
      if (!reads_right(data, length, &header)) return WRONG_BYTES;
      if (header.seed == seed + 1) return refused ? "an answer of nobody" : NULL;
    }
  }
  return "no answer";
}

static void run_socket(uint64_t *state)
{
  size_t target = mix((*state)++) % TARGET_COUNT;
  int family = mix((*state)++) % 2 == 0 ? AF_INET : AF_INET6, port = TARGETS[target].port;
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = world->v4};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = world->v6};
  struct timeval limit = {.tv_usec = 999000};
  int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if ((family == AF_INET ? connect(fd, (struct sockaddr *)&v4, sizeof v4)
                         : connect(fd, (struct sockaddr *)&v6, sizeof v6)) < 0)
    die("connect");
  int rounds = TARGETS[target].refused ? 1 : 1 + (int)(mix((*state)++) % MOST_EXCHANGES);
  for (int i = 0; i < rounds && !atomic_load(&ending); i++) {
    uint64_t begin = milliseconds();
    const char *why = exchange(fd, mix((*state)++), port, TARGETS[target].refused);
    if (why == NULL) atomic_fetch_add(&counts.exchanges, 1);
    else tell_failure(why == WRONG_BYTES ? 'W' : 'F', begin, family == AF_INET ? "udp4" : "udp6", port, port_of(fd, 1), why);
    sleep_ms((long)(mix((*state)++) % PAUSE_MS));
  }
  close(fd);
}

static void *run_sockets(void *argument)
{
  uint64_t state = mix(milliseconds() * 3 + (uint64_t)(uintptr_t)argument);
  while (!atomic_load(&ending)) run_socket(&state);
  atomic_fetch_sub(&counts.live, 1);
  return NULL;
}

void run_udp_client(const struct options *options)
{
  world = options;
  for (int i = 0; i < options->udp_threads; i++) {
    atomic_fetch_add(&counts.live, 1);
    start_thread(run_sockets, (void *)(uintptr_t)(i + 1));
  }
}
