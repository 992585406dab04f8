/* Datagrams: a socket asks some times. Each answer must be that to its question, and the server must see the
 * same port of the client all the time. */
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
  uint16_t turn; /* how often it was asked before */
  uint16_t port; /* of an answer: the client's, as the server sees it */
};

/* Ports, and whether datagrams are refused there. */
static const struct {
  int port, refused;
} TARGETS[] = {
  {DIRECT_PORT, 0}, {DIRECT_PORT, 0}, {UPSTREAM_PORT, 0}, {WATCHED_PORT, 0}, {CLOSED_PORT, 1},
};
#define TARGET_COUNT (sizeof TARGETS / sizeof *TARGETS)

static const struct options *world;

/* A client's socket, since when there is one, and the port that the server has seen last. */
struct asker {
  const char *family;
  int fd, port, refused;
  uint64_t begin;
  uint16_t seen;
};

static ssize_t write_datagram(unsigned char *data, const struct header *header)
{
  memcpy(data, header, sizeof *header);
  fill(data + sizeof *header, header->size, header->seed, 0);
  return (ssize_t)(sizeof *header + header->size);
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
      tell_failure(&(struct end){"udp-server", port, ntohs(client.sin6_port), milliseconds(), 0}, WRONG_BYTES);
      continue;
    }
    header = (struct header){header.seed + 1, (uint32_t)(mix(header.seed) % LARGEST), header.turn,
                             ntohs(client.sin6_port)};
    length = write_datagram(data, &header);
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

/* Takes the answer to a question that was asked `turn` times before. */
static const char *take_answer(struct asker *asker, const struct header *answer, int turn)
{
  uint16_t seen = asker->seen;
  char how[64];
  if (asker->refused) return "an answer of nobody";
  atomic_fetch_add(&counts.lost, answer->turn);
  atomic_fetch_add(&counts.late, (unsigned)(turn - answer->turn));
  asker->seen = answer->port;
  if (seen == 0 || seen == answer->port) return NULL;
  snprintf(how, sizeof how, "the server sees port %d, before it was %d", answer->port, seen);
  tell_move(&(struct end){asker->family, asker->port, port_of(asker->fd, 1), asker->begin, 0}, how);
  return NULL;
}

static const char *take_refusal(int turn)
{
  atomic_fetch_add(&counts.lost, (unsigned)turn);
  return NULL;
}

/* One question and its answer. As a resolver does, it asks again where none comes. */
static const char *exchange(struct asker *asker, uint64_t seed)
{
  int fd = asker->fd;
  uint64_t largest = asker->port == WATCHED_PORT ? LARGEST_WATCHED : LARGEST;
  unsigned char data[LARGEST + sizeof(struct header) + 1];
  for (int turn = 0; turn < TRIES; turn++) {
    struct header header = {seed, (uint32_t)(mix(seed + 2) % largest), (uint16_t)turn, 0};
    ssize_t length = write_datagram(data, &header);
    if (send(fd, data, (size_t)length, 0) < 0) {
      if (errno == ECONNREFUSED && asker->refused) return take_refusal(turn);
      return strerror(errno);
    }
    for (uint64_t end = milliseconds() + TRY_MS; milliseconds() < end;) {
      length = recv(fd, data, sizeof data, 0);
      if (length < 0 && errno == ECONNREFUSED && asker->refused) return take_refusal(turn);
      if (length < 0 && errno != EAGAIN) return strerror(errno);
      if (length < 0) break;
      if (!reads_right(data, length, &header)) return WRONG_BYTES;
      if (header.seed == seed + 1) return take_answer(asker, &header, turn);
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
  struct asker asker = {.family = family == AF_INET ? "udp4" : "udp6",
                        .fd = fd,
                        .port = port,
                        .refused = TARGETS[target].refused,
                        .begin = milliseconds()};
  if (fd < 0) die("socket");
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if ((family == AF_INET ? connect(fd, (struct sockaddr *)&v4, sizeof v4)
                         : connect(fd, (struct sockaddr *)&v6, sizeof v6)) < 0)
    die("connect");
  int rounds = asker.refused ? 1 : 1 + (int)(mix((*state)++) % MOST_EXCHANGES);
  for (int i = 0; i < rounds && !atomic_load(&ending); i++) {
    uint64_t begin = milliseconds(), seed = mix((*state)++);
    const char *why = exchange(&asker, seed);
    if (why == NULL) atomic_fetch_add(&counts.exchanges, 1);
    else tell_failure(&(struct end){asker.family, port, port_of(fd, 1), begin, seed}, why);
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
