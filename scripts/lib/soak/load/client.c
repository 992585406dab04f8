/* The client: threads that begin one flow after another, each of a kind by chance. */
#include "soak_load.h"
#include "ports.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Pauses of a slow reader; between two flows, at most. */
#define SLOW_MS 15
#define PAUSE_MS 120

static const struct {
  const char *name;
  int weight;
} KINDS[KIND_COUNT] = {
  [DOWNLOAD] = {"download", 14}, [SLOW] = {"slow", 2},      [UPLOAD] = {"upload", 14},  [REQUESTS] = {"requests", 40},
  [HALF] = {"half-close", 10},   [IDLE] = {"idle", 2},      [RESET] = {"reset", 8},     [HANG_UP] = {"hang-up", 8},
  [VANISH] = {"vanish", 1},      [BLOCKED] = {"blocked", 6}, [REFUSED] = {"refused", 6},
};

static const struct options *world;

static uint64_t chance(uint64_t *state, uint64_t limit)
{
  return mix((*state)++) % limit;
}

static enum kind pick_kind(uint64_t *state)
{
  int all = 0, kind = 0;
  for (int i = 0; i < KIND_COUNT; i++) all += KINDS[i].weight;
  int place = (int)chance(state, (uint64_t)all);
  while (place >= KINDS[kind].weight) place -= KINDS[kind++].weight;
  return world->calm && kind == VANISH ? REQUESTS : (enum kind)kind;
}

/* Small ones are as likely as large ones: 1 byte to 2^bits. */
static uint64_t pick_size(uint64_t *state, uint64_t bits)
{
  return 1 + chance(state, 1ULL << chance(state, bits + 1));
}

static int pick_port(uint64_t *state, enum kind kind)
{
  static const int PORTS[] = {DIRECT_PORT, DIRECT_PORT, UPSTREAM_PORT, NAMED_PORT, NAMED_PORT, WATCHED_PORT};
  switch (kind) {
    case REFUSED:
      return CLOSED_PORT;
    case BLOCKED:
      return chance(state, 2) == 0 ? WATCHED_PORT : NAMED_PORT;
    case HALF: /* these three must reach the other end as what they are, which no SOCKS5 proxy promises */
    case RESET:
    case HANG_UP:
      return chance(state, 2) == 0 ? WATCHED_PORT : DIRECT_PORT;
    case VANISH: /* the kernel remembers for longer than a soak runs */
      return DIRECT_PORT + (int)chance(state, 3);
    default:
      return PORTS[chance(state, sizeof PORTS / sizeof *PORTS)];
  }
}

static const char *pick_name(uint64_t *state, enum kind kind, int port)
{
  if (kind == BLOCKED) return NAMED_BLOCKED;
  return port == NAMED_PORT && chance(state, 2) == 0 ? NAMED_AWAY : NAMED_PLAIN;
}

/* Its own ports, by turns; a proxy that was killed may still speak to those of the run before. */
static atomic_uint turn;

static void bind_vanishing(int fd, int family)
{
  uint16_t port = htons((uint16_t)(VANISH_PORT + atomic_fetch_add(&turn, 1) % VANISH_PORTS));
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = port};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = port};
  if (bind(fd, family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
           family == AF_INET ? sizeof v4 : sizeof v6) < 0)
    die("bind");
}

static int dial(int fd, int family, int port)
{
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = world->v4};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = world->v6};
  return family == AF_INET ? connect(fd, (struct sockaddr *)&v4, sizeof v4)
                           : connect(fd, (struct sockaddr *)&v6, sizeof v6);
}

/* Without a packet: a socket in repair mode says nothing at its end. */
static void vanish(int fd)
{
  int on = 1;
  if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) < 0) die("TCP_REPAIR");
  close(fd);
}

static const char *send_head(int fd, const struct flow *flow, const char *name)
{
  char head[HEAD_BYTES + 1];
  int length = snprintf(head, sizeof head, HEAD_FORMAT, name, (int)flow->kind, (unsigned long long)flow->seed,
                        (unsigned long long)flow->up, (unsigned long long)flow->down, flow->rounds);
  memset(head + length, 'p', (size_t)(HEAD_BYTES - 4 - length));
  memcpy(head + HEAD_BYTES - 4, "\r\n\r\n", 4);
  return send(fd, head, HEAD_BYTES, MSG_NOSIGNAL) == HEAD_BYTES ? NULL : strerror(errno);
}

static const char *exchange(int fd, uint64_t seed, int round)
{
  const char *why = send_stream(fd, seed + (uint64_t)round * 2, WORD_BYTES);
  return why != NULL ? why : take_stream(fd, seed + (uint64_t)round * 2 + 1, WORD_BYTES, 0);
}

static const char *talk(int fd, const struct flow *flow)
{
  const char *why = NULL;
  switch (flow->kind) {
    case DOWNLOAD:
    case SLOW:
      why = take_stream(fd, flow->seed, flow->down, flow->kind == SLOW ? SLOW_MS : 0);
      return why != NULL ? why : take_end(fd);
    case UPLOAD:
      why = send_stream(fd, flow->seed, flow->up);
      if (why == NULL) why = take_stream(fd, flow->seed + 1, WORD_BYTES, 0);
      return why != NULL ? why : take_end(fd);
    case REQUESTS:
      for (int i = 0; i < flow->rounds && why == NULL; i++) why = exchange(fd, flow->seed, i);
      return why;
    case HALF:
      why = send_stream(fd, flow->seed, flow->up);
      if (why == NULL && shutdown(fd, SHUT_WR) < 0) why = strerror(errno);
      if (why == NULL) why = take_stream(fd, flow->seed + 1, flow->down, 0);
      return why != NULL ? why : take_end(fd);
    case IDLE:
      why = exchange(fd, flow->seed, 0);
      if (why == NULL) sleep_ms(flow->rounds * 1000);
      return why != NULL ? why : exchange(fd, flow->seed, 1);
    case HANG_UP:
      why = exchange(fd, flow->seed, 0);
      return why != NULL ? why : take_reset(fd);
    case RESET:
    case VANISH:
      return exchange(fd, flow->seed, 0);
    case BLOCKED:
      return take_reset(fd);
    default:
      return "connected";
  }
}

static void run_flow(uint64_t *state)
{
  uint64_t begin = milliseconds();
  enum kind kind = pick_kind(state);
  int port = pick_port(state, kind), family = chance(state, 2) == 0 ? AF_INET : AF_INET6;
  struct flow flow = {
    .kind = kind,
    .seed = mix(*state),
    .up = pick_size(state, 24),
    .down = pick_size(state, kind == SLOW ? 21 : kind == HALF ? 20 : 24),
    .rounds = kind == IDLE ? 1 + (int)chance(state, 6) : 1 + (int)chance(state, 20),
  };
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  be_patient(fd);
  if (kind == VANISH) bind_vanishing(fd, family);
  const char *why = NULL;
  if (dial(fd, family, port) < 0) {
    why = kind == REFUSED && errno == ECONNREFUSED ? NULL : errno == EINPROGRESS ? "no answer" : strerror(errno);
  } else {
    why = send_head(fd, &flow, pick_name(state, kind, port));
    if (why == NULL) why = talk(fd, &flow);
  }
  if (why == NULL) atomic_fetch_add(&counts.flows, 1);
  else tell_failure(&(struct end){KINDS[kind].name, port, port_of(fd, 1), begin, flow.seed}, why);
  if (why == NULL && kind == RESET) reset(fd);
  else if (why == NULL && kind == VANISH) vanish(fd);
  else close(fd);
}

static void *run_flows(void *argument)
{
  uint64_t state = mix(milliseconds() + (uint64_t)(uintptr_t)argument);
  while (!atomic_load(&ending)) {
    run_flow(&state);
    sleep_ms((long)chance(&state, PAUSE_MS));
  }
  atomic_fetch_sub(&counts.live, 1);
  return NULL;
}

void run_client(const struct options *options)
{
  world = options;
  atomic_store(&turn, (unsigned)(milliseconds() / 100));
  for (int i = 0; i < options->threads; i++) {
    atomic_fetch_add(&counts.live, 1);
    start_thread(run_flows, (void *)(uintptr_t)(i + 1));
  }
}
